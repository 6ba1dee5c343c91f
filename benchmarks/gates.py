"""The gates on variants whose faults are planted: CPU per variant, and how many bad ones they stop and good ones they let pass.

Every original comes with two good variants (the same facts said in another order and other words) and one of each fault: a number
changed, a name changed, the sense denied, a copy, another language, words to the person. Precision: of what is stopped, the share that
is bad; recall: of what is bad, the share that is stopped. The texts are made up here, so the figures say that the gates do what they
are for, not how often a model needs them. CPU time includes setting up the judge; without the encoder of meanings.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from core.augment.asks import Ask
from core.augment.gates import HeldOut, Judge, Near, bare
from core.io.judging import language, probable_language

ROWS = 500
NAMES = ("Maria Lopez", "Jonas Weber", "Alice Novak", "Peter Lindgren", "Sofia Rossi", "David Cohen")
KO_NAMES = ("김철수", "박영희", "이민호", "최지우", "정우성", "강하늘")
CITIES, KO_CITIES = ("Berlin", "Lisbon", "Oslo", "Prague", "Dublin", "Vienna"), ("서울", "부산", "대구", "인천", "광주", "제주")
THINGS = ("kettle", "lamp", "heater", "drill", "camera", "blender", "printer", "radio")
KO_THINGS = ("주전자", "전등", "난로", "사진기", "냉장고", "선풍기", "자전거", "라디오")
SAYS = ("works well after many long winters", "was packed with great care by the shop", "runs quietly in our small kitchen at night",
        "looks elegant beside the old oak table")  # fmt: skip
KO_SAYS = (
    "추운 겨울에도 잘 작동합니다",
    "가게에서 정성껏 포장해 주었습니다",
    "작은 부엌에서 조용하게 돌아갑니다",
    "오래된 책상 옆에 잘 어울립니다",
)
Case = tuple[str, list[tuple[str, str]]]
"""An original, and variants as (fault or "", text)."""


def english(drawn: Random, number: int) -> Case:
    name, city, thing, says = (drawn.choice(some) for some in (NAMES, CITIES, THINGS, SAYS))
    count = 20 + number
    other = drawn.choice([one for one in NAMES if one != name])
    original = f"The {thing} that {name} bought in {city} for {count} dollars {says}."
    return original, [
        ("", f"For {count} dollars {name} bought a {thing} in {city}, and it {says}."),
        ("", f"In {city}, {name} paid {count} dollars for the {thing}, which {says} as hoped."),
        ("number changed", f"For {count + 7} dollars {name} got this {thing} in {city}, which {says}."),
        ("name changed", f"For {count} dollars {other} got this {thing} in {city}, which {says}."),
        ("negated", f"The {thing} {name} bought in {city} for {count} dollars never {says}."),
        ("copied", original.upper() if drawn.random() < 0.5 else f"{original} "),
        ("wrong language", f"Das Gerät, das {name} in {city} für {count} Dollar gekauft hat, gefällt uns noch immer sehr gut."),
        ("chatter", f"Sure, here is a variant: the {thing} that {name} bought in {city} for {count} dollars {says}"),
    ]  # fmt: skip


def korean(drawn: Random, number: int) -> Case:
    name, city, thing, says = (drawn.choice(some) for some in (KO_NAMES, KO_CITIES, KO_THINGS, KO_SAYS))
    count = 20 + number
    other = drawn.choice([one for one in KO_NAMES if one != name])
    original = f"{name} 씨가 {city}에서 {count}달러에 산 {thing}는 {says}."
    denied = {
        "작동합니다": "작동하지 않습니다",
        "주었습니다": "주지 않았습니다",
        "돌아갑니다": "돌아가지 않습니다",
        "어울립니다": "어울리지 않습니다",
    }
    ended = next(says.replace(word, no) for word, no in denied.items() if word in says)
    return original, [
        ("", f"{city}에서 {name} 씨가 {count}달러를 주고 구입한 {thing}는 {says}."),
        ("", f"{count}달러에 {name} 씨가 {city}에서 장만한 {thing}인데 {says}."),
        ("number changed", f"{city}에서 {name} 씨가 {count + 7}달러를 내고 고른 {thing}는 {says}."),
        ("name changed", f"{city}에서 {other} 씨가 {count}달러를 내고 고른 {thing}는 {says}."),
        ("negated", f"{name} 씨가 {city}에서 {count}달러에 산 {thing}는 {ended}."),
        ("copied", original if drawn.random() < 0.5 else original.rstrip(".")),
        ("wrong language", f"The {thing} that {name} bought in {city} for {count} dollars still works very well."),
        ("chatter", f"물론이죠! {city}에서 {name} 씨가 {count}달러에 마련한 {thing}는 {says}."),
    ]  # fmt: skip


def measured(make: Callable[[Random, int], Case], rows: int) -> tuple[float, Counter[str], Counter[str]]:
    """Milliseconds of CPU per variant, how many of each fault there are ("" for none), and how many of them are stopped."""
    drawn = Random(0)
    cases = [make(drawn, number) for number in range(rows)]
    aside = [f"Row {number} of those kept aside says something of its own, {drawn.random()}" for number in range(rows // 5)]
    start = time.process_time()
    originals = [original for original, _ in cases]
    judge = Judge(HeldOut(aside), "answer", "chat", seen={bare(text) for text in originals}, language=language, original=probable_language)
    judge.train = Near(list(enumerate(originals)))
    judge.limits = judge.limits.with_mode("near_train", "off").with_mode("near_sibling", "off")  # the made-up rows are alike on purpose
    there, stopped = Counter[str](), Counter[str]()
    for row, (original, variants) in enumerate(cases):
        ask = Ask(row, original, "", len(variants), ())
        for fault, text in variants:
            there[fault] += 1
            stopped[fault] += bool(judge.take(text, ask).gate)
    return 1000 * (time.process_time() - start) / there.total(), there, stopped


def main() -> None:
    language("a first text, so that loading the model of languages is not counted here")
    for name, make in (("english", english), ("korean", korean)):
        runs = [measured(make, ROWS) for _ in range(3)]
        each, (_, there, stopped) = sorted(one[0] for one in runs), runs[0]
        say(f"gates_cpu_{name}", "CPU time of all gates but meaning, per variant", there.total(), each[1], "ms", each)
        bad, caught = there.total() - there[""], stopped.total() - stopped[""]
        missed = ", ".join(f"{fault} {stopped[fault]} of {n}" for fault, n in there.items() if fault)
        say(f"gates_recall_{name}", f"planted bad variants that are stopped: {missed}", bad, 100 * caught / bad, "%")
        say(f"gates_precision_{name}", f"stopped variants that are bad; {stopped['']} of {there['']} good ones are stopped",
            stopped.total(), 100 * caught / max(1, stopped.total()), "%")  # fmt: skip


def say(name: str, what: str, n: int, value: float, unit: str, runs: list[float] | None = None) -> None:
    spread = {"spread": [round(runs[0], 3), round(runs[-1], 3)]} if runs else {}
    print(
        json.dumps({"name": name, "what": what, "n": n, "value": round(value, 2), "unit": unit, **spread}, ensure_ascii=False), flush=True
    )


if __name__ == "__main__":
    main()
