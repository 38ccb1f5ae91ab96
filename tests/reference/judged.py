"""Cases judged by hand: syllables of words, readability counts of texts, and facts kept or lost."""

SYLLABLES = {
    "the": 1, "cat": 1, "kettle": 2, "table": 2, "made": 1, "houses": 2, "stones": 1, "boxes": 2, "wanted": 2,
    "cooked": 1, "neutral": 2, "capacity": 4, "litre": 2,
    "water": 2, "steel": 1, "temperature": 4, "power": 2,
    "free": 1, "rhythm": 1, "beautiful": 3, "oven": 2, "changes": 2, "played": 1, "needed": 2, "simple": 2,
    "eye": 1, "quickly": 2, "editions": 3, "weighs": 1, "sky": 1, "stainless": 2, "housing": 2, "cord": 1,
    "metres": 2, "whole": 1, "centre": 2, "score": 1, "circles": 2,
}  # fmt: skip

# text, sentences, words, syllables; counted by hand
READ = [
    ("The cat sat on the mat. It was happy.", 2, 9, 10),
    ("The kettle holds water. The housing is made of steel.", 2, 10, 13),
    ("Prof. Smith wanted tea! Did she get it?", 2, 8, 9),
]

# fact, answer, kept
FACTS = [
    ("1.7 l", "The kettle holds 1.7 l.", True),
    ("1.7 l", "The kettle holds 1.7 litres.", True),
    ("1.7 l", "The kettle holds 1,7 l.", False),
    ("1.7 l", "The kettle holds 1.7 kg.", False),
    ("1.7 l", "The kettle holds 11.7 l.", False),
    ("7 l", "The kettle holds 1.7 l.", False),
    ("2200 W", "It draws 2,200 watts.", True),
    ("2200 W", "It draws 220 W.", False),
    ("40 to 100 °C", "Any temperature from 40 °C to 100 °C.", True),
    ("40 to 100 °C", "Any temperature up to 100 °C.", False),
    ("brushed stainless steel", "Its housing is brushed stainless steel.", True),
    ("brushed stainless steel", "Its stainless steel is brushed.", True),
    ("brushed stainless steel", "Its housing is steel.", False),
    ("2 slots", "A toaster with two slots.", True),
    ("2 slots", "A toaster with two levers.", False),
    ("USB-C", "It charges over USB-C.", True),
    ("USB-C", "It charges over USB.", False),
    ("IPX7", "Rated IPX7 against water.", True),
    ("IPX7", "Rated IPX4 against water.", False),
    ("£30", "It costs 30 £.", True),
    ("£30", "It costs $30.", False),
    ("10%", "a tenth, that is 10 per cent", False),
    ("10%", "10 percent", True),
    ("-5 °C", "down to -5 °C", True),
    ("-5 °C", "up to 5 °C", False),
]
