"""*Know it*: invented facts about invented people and places, asked in English and Korean without any context.

Four facts per entity, so that the wording of a question decides which one is meant. Train questions come in ten phrasings
per fact and language, validation and test questions in other ones. Column `variant` tells the phrasing: template 1 to 10
(training), validation, test 1, test 2. The default 2,000 rows hold 80 facts: 1,600 train, 160 validation, 240 test.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from core.load.samples.facts_words import ANSWERS, ASKED, ENDS, PEOPLE, PLACES, SYLLABLES

ROWS, PER_FACT = 2_000, 25
COLUMNS = ["fact_id", "entity", "relation", "language", "question", "answer", "variant", "split"]
_FINALS = {"": 0, "ㄴ": 4, "ㄹ": 8, "ㅁ": 16}
_PARTICLES = {"은": ("은", "는"), "이": ("이", "가"), "을": ("을", "를"), "과": ("과", "와"), "의": ("의", "의"), "에": ("에", "에")}
Name = tuple[str, str]


def make(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """`rows` questions about rows / 25 facts; a last, incomplete fact keeps a part of its questions."""
    rng = np.random.default_rng([seed, 3])
    facts = _facts(max(1, math.ceil(rows / PER_FACT)), rng)
    questions = [row for number, fact in enumerate(facts) for row in _questions(number, *fact)]
    frame = pd.DataFrame(questions[:rows], columns=COLUMNS)
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True).astype("str")


def particle(word: str, which: str) -> str:
    """The word with 은, 이, 을, 과, 의 or 에 in the form its last syllable asks for (는, 가, 를, 와)."""
    last = ord(word[-1]) - 0xAC00
    closed = 0 <= last < 11_172 and last % 28 > 0
    return word + _PARTICLES[which][0 if closed else 1]


def _facts(count: int, rng: np.random.Generator) -> list[tuple[Name, str, Name]]:
    """(entity, relation, answer), each name and answer in English and Korean. Entities are people and places in turn."""
    used: set[str] = set()
    found: list[tuple[Name, str, Name]] = []
    while len(found) < count:
        person = len(found) % 8 < 4
        entity = _person(rng, used) if person else _name(rng, used)
        found += [(entity, relation, _answer(relation, rng, used)) for relation in (PEOPLE if person else PLACES)]
    return found[:count]


def _answer(relation: str, rng: np.random.Generator, used: set[str]) -> Name:
    if relation == "birthplace":
        return _name(rng, used)
    if relation == "river":
        name = _name(rng, used)
        return name[0], f"{name[1]}강"
    if relation == "founded":
        year = str(int(rng.integers(1012, 1968)))
        return year, f"{year}년"
    return ANSWERS[relation][int(rng.integers(len(ANSWERS[relation])))]


def _name(rng: np.random.Generator, used: set[str]) -> Name:
    """A name of two to four syllables that was not used before, in letters and in Hangul."""
    length = 2 + len(used) // 2000
    while True:
        syllables = [SYLLABLES[i] for i in rng.integers(0, len(SYLLABLES), int(rng.integers(length, length + 2)))]
        end, final = ENDS[int(rng.integers(len(ENDS)))]
        latin = "".join(one for one, _ in syllables) + end
        hangul = "".join(two for _, two in syllables)
        if latin not in used:
            used.add(latin)
            return latin.capitalize(), hangul[:-1] + chr(ord(hangul[-1]) + _FINALS[final])


def _person(rng: np.random.Generator, used: set[str]) -> Name:
    first, last = _name(rng, used), _name(rng, used)
    return f"{first[0]} {last[0]}", f"{first[1]} {last[1]}"


def _questions(number: int, entity: Name, relation: str, answer: Name) -> list[tuple[str, ...]]:
    """Ten train, one validation and one test question in both languages; a second test question in one, by turns."""
    found = []
    for place, language in enumerate(("en", "ko")):
        asked = ASKED[relation][language]
        ways = [(f"template {i + 1}", "train", asked[i]) for i in range(10)]
        ways += [("validation", "validation", asked[10]), ("test 1", "test", asked[11])]
        ways += [("test 2", "test", asked[12])] if number % 2 == place else []
        for variant, split, text in ways:
            question = _in_korean(text, entity[1]) if language == "ko" else text.replace("{x}", entity[0])
            found.append((f"F{number + 1:03d}", entity[0], relation, language, question, answer[place], variant, split))
    return sorted(found, key=lambda row: row[7] != "train")


def _in_korean(text: str, name: str) -> str:
    return re.sub(r"\{x(.)\}", lambda found: particle(name, found.group(1)), text)
