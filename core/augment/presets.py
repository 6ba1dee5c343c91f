"""What a writer may be asked for: ready requests in English and Korean, and the settings of one augmentation.

A request is a template with `$text` (the column to vary), `${n}` (how many), `$target` (the answer or label the row keeps)
and any other column. `paraphrase_ko_classic` is the request people paste into a chat; `paraphrase_ko` asks for the same and
says what must stay. What is asked for here is only a wish: `core/augment/gates.py` decides what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import SettingsError

MOST_PER_REQUEST = 20
"""More variants than this in one reply repeat themselves."""


@dataclass(frozen=True)
class Preset:
    """A ready request."""

    title: str
    meaning: str
    """One sentence for the page."""
    user: str
    system: str = ""
    keeps: str = "answer"
    """answer | label: what the person is told stays the same."""
    balance: bool = False
    """True asks for as many variants as each small class lacks, instead of a fixed number per row."""
    language: str = "any"


_SYSTEM = "You write training data. Answer with a JSON list of strings and nothing else."
_SYSTEM_KO = "당신은 학습 데이터를 만듭니다. 문자열의 JSON 목록만 답하세요."

PRESETS: dict[str, Preset] = {
    "paraphrase": Preset(
        "Say it differently, keep the answer",
        "The same meaning in other words; every number and name stays.",
        "Write ${n} different ways to say the text below. Keep its meaning, its language, every number and every name. "
        "Change the words and the order; do not add facts.\n\nText:\n$text",
        _SYSTEM,
    ),
    "paraphrase_ko": Preset(
        "다르게 말하기 (Korean)",
        "The same request in Korean, saying what must stay.",
        "아래 글과 뜻이 같은 문장을 ${n}개 쓰세요. 숫자와 이름, 존댓말 여부는 그대로 두고 낱말과 어순을 바꾸세요. "
        "없는 내용을 더하지 마세요.\n\n글:\n$text",
        _SYSTEM_KO,
        language="ko",
    ),
    "paraphrase_ko_classic": Preset(
        "다르게 말하기, short request (Korean)",
        "One sentence in quotes and how many similar ones to write: the request people paste into a chat.",
        '"$text" 위 문장을 Data Augmentation하기 위해서 뜻은 같지만 비슷한 문장 ${n}개를 만들어줘',
        language="ko",
    ),
    "rewrite": Preset(
        "Write anew, keep the label",
        "A new text of the same kind that deserves the same label; details may change.",
        "Below is a text whose label is '$target'. Write ${n} new texts of the same kind and language that deserve the same label. "
        "Change details and wording; never write the label itself.\n\nText:\n$text",
        _SYSTEM,
        keeps="label",
    ),
    "balance": Preset(
        "Bring each small class to N rows",
        "Classes with few rows get variants of their rows until they have N.",
        "Below is a text whose label is '$target'. Write ${n} new texts of the same kind and language that deserve the same label. "
        "Change details and wording; never write the label itself.\n\nText:\n$text",
        _SYSTEM,
        keeps="label",
        balance=True,
    ),
    "question": Preset(
        "Ask for the same answer",
        "Other questions with the same answer; the answer may not appear in them.",
        "Write ${n} other questions that ask for exactly the same thing as the question below. Keep its language and every name "
        "and number. The answer is '$target'; it must not appear in the questions.\n\nQuestion:\n$text",
        _SYSTEM,
    ),
    "free": Preset(
        "My own instruction",
        "Whatever you write; use $text for the column and ${n} for the number of variants.",
        "Write ${n} variants of this text, one per line:\n\n$text",
    ),
}

SHORT = (
    "You're an AI assistant for text re-writing. Rewrite the input text to make it more concise while preserving its core meaning.",
    "You're an AI assistant for text re-writing. Rewrite the input text to make it more professional and formal while retaining its "
    "essential content.",
)
"""What a very small model is asked, one variant per request in turn: it cannot keep lists or rules in mind, and these orders
are the ones SmolLM2 has practised."""


@dataclass(frozen=True)
class AugmentSettings:
    """One augmentation, as it is saved beside what it made."""

    column: str
    """The column whose text is varied; all other cells of a child are its parent's."""
    preset: str = "paraphrase"
    """A name in PRESETS."""
    variants: int = 3
    """Variants per row, 1 to 20; with a balancing preset at most that many per row."""
    to: int = 0
    """Balancing: the number of train rows each class should have; 0 is the size of the largest class."""
    system: str | None = None
    """The writer's standing order; None takes the preset's."""
    user: str | None = None
    """The request; None takes the preset's."""
    one_each: bool = False
    """Ask for one variant per request (small models) instead of all of a row at once."""
    temperature: float = 0.9
    """Higher is more varied and less faithful; 0.7 to 1.0 suits paraphrases."""
    rows: int = 0
    """At most that many train rows, drawn by the seed; 0 takes all."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise SettingsError(f"There is no request '{self.preset}'. Choose one of {', '.join(PRESETS)}.", title="Unknown request")
        if not 1 <= self.variants <= MOST_PER_REQUEST:
            raise SettingsError(f"{self.variants} variants per row; 1 to {MOST_PER_REQUEST} can be asked for.", title="Too many variants")
        if not 0 <= self.temperature <= 2:
            raise SettingsError(f"The temperature is {self.temperature}; it lies between 0 and 2.", title="Temperature out of range")
        if self.to < 0 or self.rows < 0:
            raise SettingsError(f"A number of rows cannot be negative: {min(self.to, self.rows)}.", title="Negative number of rows")

    @property
    def asked(self) -> tuple[str, str]:
        """System and user template that are really used."""
        preset = PRESETS[self.preset]
        system = self.system if self.system is not None else SHORT[0] if self.one_each else preset.system
        return system, self.user if self.user is not None else "$text" if self.one_each else preset.user

    @property
    def keeps(self) -> str:
        """What the gates insist on: a very small writer is held to the meaning whatever it was asked for."""
        return "answer" if self.one_each else PRESETS[self.preset].keeps

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AugmentSettings:
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})
