"""Every kind of fault that an audit can name: how grave it is, what it does to a fine-tune, and the fix."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.audit.findings import Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: a word that reports, JSON and rules of `--fix` share.
        title: what a report calls it.
        harm: what it does to a fine-tune, one sentence.
        remedy: what to do about it, one sentence.
        rule: the rule of `--fix` that mends it, the same name where there is one; empty where people must decide.
    """

    name: str
    severity: Severity
    title: str
    harm: str
    remedy: str
    rule: str = ""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "exact_duplicate",
            "warning",
            "The same row more than once",
            "Its weight in training is multiplied, and copies in two parts of the data leak from one to the other.",
            "Keep the first of each: the rows named here are those that repeat an earlier one.",
            rule="exact_duplicate",
        ),
        Kind(
            "near_duplicate",
            "warning",
            "Rows that are almost the same",
            "They weigh as often as they stand, and almost-copies in two parts of the data leak from one to the other.",
            "Read each group side by side; keep the best of it, or keep all in one part.",
        ),
        Kind(
            "conflict",
            "warning",
            "The same prompt with different answers",
            "The model learns to waver between them, and no score can tell which of them was meant.",
            "Keep the right answer, or say in the prompts what differs; where all are good, list them as references.",
        ),
        Kind(
            "fact_left_out",
            "warning",
            "Answers that seem to leave out a fact of their prompt",
            "The model learns that facts it is given may be dropped.",
            "Read them: complete the answer, or take the fact out of the prompt.",
        ),
        Kind(
            "fact_added",
            "warning",
            "Answers that seem to tell what their prompt does not",
            "The model learns to make facts up.",
            "Read them: take the fact out of the answer, or put it into the prompt.",
        ),
        Kind(
            "leak",
            "error",
            "Rows that stand in a measuring part or a test too",
            "The model is measured on what it has learned by heart, and the verdict promises too much.",
            "Leave the rows out of one of the two.",
        ),
        Kind(
            "missing_source",
            "note",
            "Rows that do not say where they come from",
            "Nobody can tell later what the model learned from, and a bad source cannot be taken out again.",
            "Fill a column source: a file, a page, a system.",
        ),
        Kind(
            "missing_licence",
            "note",
            "Rows without a licence",
            "Whether the tuned model may be passed on depends on rows whose terms are not known.",
            "Fill a column licence, such as CC-BY-4.0, or leave the rows out.",
        ),
        Kind(
            "missing_consent",
            "note",
            "Rows of a person without their consent",
            "What is learned from them may have to be given up, since it cannot be taken out of weights.",
            "Fill a column consent with what the person agreed to, or leave the rows out.",
        ),
        Kind(
            "missing_date",
            "note",
            "Rows without the date on which they were collected",
            "Stale rows and drift between periods cannot be seen, nor rows that are due to be deleted.",
            "Fill a column collected_at, such as 2026-03-31.",
        ),
        Kind(
            "broken_shape",
            "error",
            "Rows that cannot be read as examples",
            "Training stops at them, or leaves them out without a word.",
            "Mend the row, or leave it out.",
            rule="broken_shape",
        ),
        Kind(
            "wrong_roles",
            "error",
            "Turns in an order that no conversation has",
            "The model learns to answer itself, or to speak as the user.",
            "Mend the roles of the turns, or leave the row out.",
            rule="wrong_roles",
        ),
        Kind(
            "empty_answer",
            "error",
            "Answers that say nothing",
            "The model learns to stop before it has said anything.",
            "Write the answer, or leave the row out.",
            rule="empty_answer",
        ),
        Kind(
            "short_answer",
            "note",
            "Answers of one word, where most are longer",
            "The model learns to cut some answers short, and nothing tells it which.",
            "Write these answers out, or ask for one word in their prompts.",
        ),
        Kind(
            "encoding",
            "warning",
            "Text that was read in the wrong encoding",
            "The model learns to write broken letters, and rare tokens take the place of common ones.",
            "Mend them with ftfy; better, read the source again in its own encoding.",
            rule="encoding",
        ),
        Kind(
            "lost_character",
            "warning",
            "Characters that were lost on the way",
            "The model learns to write U+FFFD where a letter should be.",
            "Read the source again in its own encoding; nothing else brings them back.",
        ),
        Kind(
            "control_character",
            "warning",
            "Control characters",
            "The model learns to write what no reader sees and programs stumble over.",
            "Take them out.",
            rule="control_character",
        ),
        Kind(
            "invisible_character",
            "warning",
            "Invisible and direction-changing characters",
            "Words that look alike become other tokens, and hidden text can carry instructions.",
            "Take them out.",
            rule="invisible_character",
        ),
        Kind(
            "html_remains",
            "warning",
            "Tags and entities of web pages",
            "The model learns to write markup into its prose.",
            "Take the tags out and turn entities into characters.",
            rule="html_remains",
        ),
        Kind(
            "boilerplate",
            "note",
            "Notices and menus of web pages",
            "The model learns to ask its reader to click, subscribe or accept cookies.",
            "Cut these sentences out at the source.",
        ),
        Kind(
            "template_remains",
            "warning",
            "Markers of a chat template inside a text",
            "Turns end in the wrong place, and the model learns to speak for the user.",
            "Split the text at its markers into turns.",
        ),
        Kind(
            "language",
            "warning",
            "Another language than the set's",
            "The model learns to change its language for no reason that it is shown.",
            "Leave these rows out, or say in their prompts which language is wanted.",
        ),
        Kind(
            "outlier_length",
            "note",
            "Far longer or shorter than the rest",
            "Few very long rows hold much of the loss; very short ones teach answers cut off.",
            "Read them; split the long ones, complete the short ones.",
        ),
        Kind(
            "truncated",
            "warning",
            "Longer than the model reads",
            "The end is cut off, so that the model learns answers that stop in mid-sentence.",
            "Shorten or split the row, or raise the limit in tokens.",
        ),
        Kind(
            "refusal",
            "warning",
            "Answers that refuse",
            "The model learns to refuse what it could do.",
            "Answer the question, or leave the row out, unless it should be refused.",
            rule="refusal",
        ),
        Kind(
            "filler",
            "warning",
            "Another assistant's set phrases",
            "The model learns to speak of itself as another model, and to begin every answer alike.",
            "Cut the phrase, or leave the row out.",
            rule="filler",
        ),
        Kind(
            "guideline",
            "warning",
            "Answers that break the guidelines",
            "The model learns what the guidelines forbid, and every later check works against its data.",
            "Rewrite the answer so that it keeps the rule.",
        ),
        Kind(
            "toxicity",
            "warning",
            "Swear words and insults",
            "The model learns to use them.",
            "Read them; leave out what no answer should say.",
        ),
        Kind(
            "outlier_sentiment",
            "note",
            "Strong praise or blame where most answers are mild",
            "The model's tone swings without a reason in the prompt.",
            "Read them, and reword those that do not fit.",
        ),
        Kind(
            "secret",
            "error",
            "Keys, tokens and passwords",
            "A model can repeat them word for word to anyone who asks.",
            "Withdraw the key where it was issued, then mask it in the data.",
            rule="secret",
        ),
        Kind(
            "stale",
            "note",
            "Rows of an earlier date than wanted",
            "The model learns as true what has changed since.",
            "Check them against what holds today, or leave them out.",
        ),
        Kind(
            "drift",
            "note",
            "Later rows that differ from earlier ones",
            "The model learns a mixture of then and now, and a score on rows of both says little about tomorrow's.",
            "Leave early rows out, or measure on late ones; the section Periods says what differs.",
        ),
        Kind(
            "same_meaning",
            "note",
            "Rows that say the same in other words",
            "What they say weighs as often as it is said, and paraphrases in two parts of the data leak between them.",
            "Read each group side by side; keep them in one part, and leave some out where they crowd others out.",
        ),
        Kind(
            "thin_topic",
            "note",
            "Topics with far fewer rows than the others",
            "The model learns little of them, and a mean score over all rows hides it.",
            "Collect more rows of these topics, or say that they are out of scope.",
        ),
        Kind(
            "outlier_meaning",
            "note",
            "Rows that are about something else than all others",
            "A few rows from elsewhere teach what nobody asked for.",
            "Read them; leave out what was collected by mistake.",
        ),
        Kind(
            "label_noise",
            "warning",
            "Labels that are probably wrong",
            "The model learns the mistake, and a measure by these labels counts right answers as wrong.",
            "Read each row beside both labels, and mend those that are wrong.",
        ),
        Kind(
            "personal_data",
            "error",
            "Personal data in a text",
            "The model can learn names, addresses and numbers by heart and give them to anybody who asks.",
            "Mask it, or replace it by consistent pseudonyms; keep a row as it is only with a legal ground to do so.",
            rule="personal_data",
        ),
        Kind(
            "quasi_identifier",
            "warning",
            "Facts that together single people out",
            "Each fact alone names nobody, but rows that share theirs with no other can be traced to a person.",
            "Make columns coarser (year for date, region for postcode) until every group has five rows, or drop one.",
        ),
        Kind(
            "one_sided",
            "warning",
            "A group of people beside the same words far more than another",
            "The model learns the tie as a fact, and says it of people of whom it is not true.",
            "Read these rows; add rows of the other group, or learn each row with its groups swapped too "
            "(training.counterfactual).",
        ),
        Kind(
            "group_share",
            "note",
            "One group of people named far more often than its counterpart",
            "The model learns to speak of the one where nothing is said of who is meant.",
            "Add rows of the other group, or reword rows where it does not matter who is meant.",
        ),
    )
}
