"""What needs the meaning of texts, by vectors of a small encoder: paraphrases, topics, outliers, doubtful labels."""

from trimtab.audit.meaning.looking import Meant, look

__all__ = ["Meant", "look"]
