"""A run's stack in the forms that other programs read, each shown to answer as the stack does before it is handed over.

wanted.py      what is asked for, and what of a stack a form can hold
merging.py     the network with the stack in its weights
gguf_file.py   those weights as llama.cpp reads them; vocabulary.py: the tokenizer in that form
beside.py      what no weight can hold, written beside the weights
reading.py     the files read again, by transformers or PEFT
parity.py      both on the same prompts: tokens, log-probabilities, answers
making.py      start here: written to a folder of its own, compared, then moved into place and recorded
"""
