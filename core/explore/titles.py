"""Titles of groups of texts: the words that are frequent in a group and rare elsewhere (class-based TF-IDF, Grootendorst 2022).

Words are runs of letters and digits. Korean words lose their particles where the rest also stands alone or with another
particle in these texts, so that no dictionary is needed; a title shows the one form where nearly all wrote that. Chinese and Japanese runs
are cut into pairs. Frequent words of English and Korean that name nothing are left out. Not known here: vectors.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial

import numpy as np

WORDS = 3
"""Words in a title."""
LIFT = 1.5
"""A word of a title is at least so many times as frequent in the group as in all texts."""
_LONGEST = 2_000
_WORD = re.compile(r"[^\W\d_][\w']*")
_HANGUL = re.compile(r"[가-힣]+")
_PAIRS = re.compile(r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_ENDINGS = """
은 는 이 가 을 를 의 에 로 와 과 도 만 나 랑 야 요 인 들 께 에서 에게 한테 으로 까지 부터 처럼 보다 마다 이나 이랑 라고
이라 라는 이라고 이라는 하고 이다 이고 이며 이야 이네 들이 들은 들을 들의 들도 에는 에서는 에서도 에게는 으로는 에도
로는 로서 으로서 로써 으로써 입니다 이었다 였다 예요 이에요 네요 이지만 지만 인데 이라서 라서 뿐 밖에 조차 마저 이란 란
"""
_PARTICLES = tuple(sorted(_ENDINGS.split(), key=len, reverse=True))
_NOTHING = """
그리고 그러나 하지만 그런데 그래서 그래도 그냥 정말 진짜 너무 아주 매우 조금 약간 많이 가장 제일 더욱 다시 또한 역시
모든 모두 아직 이미 이제 지금 항상 계속 이런 그런 저런 어떤 무슨 이렇게 그렇게 어떻게 왜 누가 누구 무엇 어디 언제 이것
그것 저것 이거 그거 저거 여기 거기 우리 나는 내가 나도 니가 네가 당신 자신 때문 있는 있다 있고 있어 있었다 있음 있습니다
없는 없다 없고 없어 없음 하는 하다 한다 하고 하게 해서 했다 했던 하면 하지 할 것 같은 같다 같이 같아요 같네요 되는 된다
되어 대한 대해 위해 위한 통해 따라 의해 관한 보다 보고 보는 봤다 본 볼 않는 않다 않고 아닌 아니다 아니라 정도 경우 이후
동안 이상 이하 등을 등의 등이 처음 하나
이게 이건 이걸 그게 그건 그걸 저게 저건 너무나 봤는데 봤습니다 봤지만 봤어요 보면 보니 본다 했는데 했지만 했다가 완전
"""
_KOREAN = frozenset(_NOTHING.split())


def terms(texts: Sequence[str]) -> list[set[str]]:
    """The different words of each text that may stand in a title, each in the form these texts write most."""
    found = [_words(text[:_LONGEST]) for text in texts]
    counts = Counter(word for words in found for word in words)
    forms = _forms(counts)
    return [{forms.get(word, word) for word in words} for words in found]


def _words(text: str) -> set[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    out: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        word = word.removesuffix("'s").strip("'")
        if _PAIRS.search(word):
            out |= {run[at : at + 2] for run in _PAIRS.findall(word) for at in range(max(1, len(run) - 1)) if len(run) > 1}
        elif _HANGUL.search(word):
            out |= {run for run in _HANGUL.findall(word) if len(run) > 1 and run not in _KOREAN}
        elif len(word) > 2 and word not in ENGLISH_STOP_WORDS and len(set(word)) > 1:
            out.add(word)
    return out


def _forms(counts: Counter[str]) -> dict[str, str]:
    """Korean word -> the form its title has, for words that share a stem with another."""
    stems: dict[str, set[str]] = defaultdict(set)
    for word in counts:
        if _HANGUL.fullmatch(word):
            stems[word].add(word)
            for particle in _PARTICLES:
                if word.endswith(particle) and len(word) - len(particle) >= 2:
                    stems[word[: -len(particle)]].add(word)
    forms: dict[str, str] = {}
    for stem, words in sorted(stems.items(), key=lambda one: len(one[0])):
        if len(words) < 2:
            continue
        most = max(sorted(words), key=partial(_of, counts))
        shown = most if counts[most] > 0.6 * sum(counts[one] for one in words) and counts[stem] * 5 < counts[most] else stem
        for word in words:
            forms.setdefault(word, shown)
    return {word: forms.get(shown, shown) for word, shown in forms.items()}


def _of(counts: Counter[str], word: str) -> int:
    return counts[word]


def titles(texts: Sequence[str], labels: np.ndarray, words: int = WORDS) -> list[str]:
    """A title for each group 0, 1, ...: "guitar · strings · neck"; "group 3" where no word is its own. Titles differ."""
    count = int(labels.max()) + 1 if len(labels) else 0
    found = terms(texts)
    everywhere = Counter(word for one in found for word in one)
    made: list[str] = []
    for label in range(count):
        mine = [found[at] for at in np.flatnonzero(labels == label).tolist()]
        inside = Counter(word for one in mine for word in one)
        fewest = max(2, 0.01 * len(mine))
        lift = {word: n / len(mine) * len(found) / everywhere[word] for word, n in inside.items() if n >= fewest}
        least = LIFT if count > 1 and max(lift.values(), default=0.0) >= LIFT else 1.0
        score = {word: inside[word] * math.log(1 + len(found) / everywhere[word]) for word in lift if lift[word] >= least}
        chosen: list[str] = []
        for word in sorted(score, key=lambda one: (-score[one], one)):
            if len(chosen) < words and not any(_alike(word, other) for other in chosen):
                chosen.append(word)
        title = " · ".join(chosen) or f"group {label + 1}"
        made.append(title if title not in made else f"{title} ({label + 1})")
    return made


def _alike(one: str, other: str) -> bool:
    """Two forms of one word: one begins like the other."""
    short, long = sorted((one, other), key=len)
    shared = 2 if _HANGUL.fullmatch(short) else 4
    return long.startswith(short[: max(shared, len(short) - 2)])
