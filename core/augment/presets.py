"""What a writer may be asked for: ready requests in English and Korean, and the settings of one augmentation.

A request is a template with `$text` (the column to vary), `${n}` (how many), `$target` (the answer or label the row keeps),
any other column, and the names its preset adds. `paraphrase_ko_classic` is the request people paste into a chat; `paraphrase_ko`
asks for the same and says what must stay. What is asked for here is only a wish: `core/augment/gates.py` decides what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.augment.fields import Field
from core.errors import SettingsError

MOST_PER_REQUEST = 20
"""More variants than this in one reply repeat themselves."""
MOST_NEW_ROWS = 100_000


@dataclass(frozen=True)
class Preset:
    """A ready request."""

    title: str
    meaning: str
    """One sentence for the page."""
    user: str
    system: str = ""
    keeps: str = "answer"
    """What stays, and which gates are asked: answer (all of it) | label | context (a question about the text) | schema (new rows)."""
    balance: bool = False
    """True asks for as many variants as each small class lacks, instead of a fixed number per row."""
    language: str = "any"
    back: str = ""
    """A second request, asked with the reply of the first as `$reply`."""
    by_hand: str = ""
    """The request to copy into a chat where it differs: both requests in one."""
    names: tuple[str, ...] = ()
    """Placeholders the request may hold besides $text, ${n}, $target and the columns."""
    tasks: tuple[str, ...] = ()
    """Tasks it makes sense for; empty for all."""

    @property
    def whole_rows(self) -> bool:
        """Whether the reply holds whole new rows instead of other texts for one column."""
        return self.keeps in ("context", "schema")

    @property
    def small(self) -> bool:
        """Whether the built-in model can be asked: it keeps no form and knows no translation."""
        return not (self.whole_rows or self.back)


_SYSTEM = "You write training data. Answer with a JSON list of strings and nothing else."
_SYSTEM_KO = "당신은 학습 데이터를 만듭니다. 문자열의 JSON 목록만 답하세요."
_ROWS = 'You write training data. Answer with one JSON object {"variants": [{...}, ...]} and nothing else.'
_ROWS_KO = '당신은 학습 데이터를 만듭니다. {"variants": [{...}, ...]} 꼴의 JSON 하나로만 답하세요.'
_LABEL_KO = (
    "아래 글의 라벨은 '$target'입니다. 같은 라벨이 어울리는 같은 종류의 새 글을 ${n}개 쓰세요. 내용과 표현은 바꾸고, "
    "라벨 낱말 자체는 쓰지 마세요.\n\n글:\n$text"
)

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
        tasks=("qa",),
    ),
    "rewrite_ko": Preset(
        "새로 쓰기, 라벨 그대로 (Korean)",
        "The same request in Korean: a new text that deserves the same label.",
        _LABEL_KO,
        _SYSTEM_KO,
        keeps="label",
        language="ko",
    ),
    "balance_ko": Preset(
        "작은 클래스를 N개로 (Korean)",
        "The same request in Korean: classes with few rows get new texts until they have N.",
        _LABEL_KO,
        _SYSTEM_KO,
        keeps="label",
        balance=True,
        language="ko",
    ),
    "question_ko": Preset(
        "같은 답을 묻기 (Korean)",
        "The same request in Korean: other questions with the same answer, which may not appear in them.",
        "아래 질문과 똑같은 것을 묻는 다른 질문을 ${n}개 쓰세요. 이름과 숫자는 그대로 두세요. 답은 '$target'이며 질문에 나오면 안 됩니다."
        "\n\n질문:\n$text",
        _SYSTEM_KO,
        language="ko",
        tasks=("qa",),
    ),
    "question_answer": Preset(
        "Ask questions about a text",
        "New rows: questions that the text answers, each with its answer copied word for word from the text.",
        "Read the text below. Write ${n} questions that it answers, in its language, each with the answer copied word for word from the "
        "text, as short as possible. The answer must not appear in the question, and each question must be understood without the text."
        '\n\nForm of each row: {"$question": "...", "$answer": "..."}\n\nText:\n$text',
        _ROWS,
        keeps="context",
        names=("question", "answer"),
        tasks=("qa",),
    ),
    "question_answer_ko": Preset(
        "글에 대해 묻고 답하기 (Korean)",
        "The same request in Korean: questions about a text with answers that stand in it.",
        "아래 글을 읽고, 글에 답이 있는 질문을 ${n}개 쓰세요. 답은 글에 있는 말을 그대로, 되도록 짧게 옮기세요. "
        "답이 질문에 나오면 안 되고, "
        '질문은 글 없이도 이해되어야 합니다.\n\n각 행의 꼴: {"$question": "...", "$answer": "..."}\n\n글:\n$text',
        _ROWS_KO,
        keeps="context",
        language="ko",
        names=("question", "answer"),
        tasks=("qa",),
    ),
    "new_rows": Preset(
        "New rows from a description",
        "Whole rows made up from your description and a few real rows as examples, in the columns you list.",
        "Write ${n} new rows for a table. $description\n\nCells of each row:\n$columns\n\nThese rows exist already; write rows like them "
        "that say something else:\n$examples\n\nVary length, tone and content, and spread the choices evenly. Part $part of $parts.",
        _ROWS,
        keeps="schema",
        names=("n", "description", "columns", "examples", "part", "parts"),
    ),
    "new_rows_ko": Preset(
        "설명으로 새 행 만들기 (Korean)",
        "The same request in Korean: whole rows made up from a description and a few real rows.",
        "표에 넣을 새 행을 ${n}개 쓰세요. $description\n\n각 행의 칸:\n$columns\n\n이미 있는 행입니다. 비슷하지만 다른 내용으로 쓰세요:"
        "\n$examples"
        "\n\n길이와 말투, 내용을 다양하게 하고 선택지는 고르게 나누세요. ${parts}번 가운데 ${part}번째입니다.",
        _ROWS_KO,
        keeps="schema",
        language="ko",
        names=("n", "description", "columns", "examples", "part", "parts"),
    ),
    "translate": Preset(
        "Translate there and back",
        "Each text goes into another language and back again, which changes its words and keeps its meaning; two requests per row.",
        "Translate the text below into $pivot in ${n} different ways. Keep its meaning, every number and every name.\n\nText:\n$text",
        _SYSTEM,
        back="Translate each of the ${n} texts below into $language: one translation of each, in their order. Keep the meaning, every "
        "number and every name.\n\n$reply",
        by_hand="Translate the text below into $pivot in ${n} different ways. Then translate each of them back into $language without "
        "looking at the text again. Answer with the ${n} texts in $language only, as a JSON list of strings.\n\nText:\n$text",
        names=("pivot", "language", "reply"),
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
    pivot: str = ""
    """Translating: the language in between, in English; "" is English, for English texts French."""
    language: str = ""
    """Translating: the language of the texts, in English; "" is told by their script, English for Latin letters."""
    back: str | None = None
    """Translating: the second request; None takes the preset's."""
    description: str = ""
    """New rows: what they are about, in sentences."""
    fields: tuple[Field, ...] = ()
    """New rows: their columns; empty takes the text and target columns as the train rows hold them."""
    total: int = 100
    """New rows: how many in all."""
    examples: int = 3
    """New rows: train rows shown in each request, drawn by the seed."""
    question: str = ""
    """Questions about a text: the column that gets the question; "" is the first other text column."""
    answer: str = ""
    """Questions about a text: the column that gets the answer; "" is the target."""

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise SettingsError(f"There is no request '{self.preset}'. Choose one of {', '.join(PRESETS)}.", title="Unknown request")
        if not 1 <= self.variants <= MOST_PER_REQUEST:
            raise SettingsError(f"{self.variants} variants per row; 1 to {MOST_PER_REQUEST} can be asked for.", title="Too many variants")
        if not 0 <= self.temperature <= 2:
            raise SettingsError(f"The temperature is {self.temperature}; it lies between 0 and 2.", title="Temperature out of range")
        if self.to < 0 or self.rows < 0:
            raise SettingsError(f"A number of rows cannot be negative: {min(self.to, self.rows)}.", title="Negative number of rows")
        if not 1 <= self.total <= MOST_NEW_ROWS or not 1 <= self.examples <= MOST_PER_REQUEST:
            raise SettingsError(
                f"{self.total} new rows with {self.examples} examples; 1 to {MOST_NEW_ROWS:,} rows with 1 to {MOST_PER_REQUEST} examples "
                "can be asked for.",
                title="New rows out of range",
            )
        if self.one_each and not PRESETS[self.preset].small:
            raise SettingsError(
                f"The built-in model is too small for '{PRESETS[self.preset].title}'. Choose another writer, or write by hand.",
                title="Too hard for the built-in model",
            )

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
        """Plain values; what only some requests use is told where it is not the usual, so that older settings keep their hash."""
        whole = {**asdict(self), "fields": [one.to_dict() for one in self.fields]}
        return {name: value for name, value in whole.items() if name not in _LATER or value not in (_LATER[name], [])}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AugmentSettings:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "fields": tuple(Field.from_dict(one) for one in known.get("fields", ()))})


_LATER: dict[str, Any] = {"pivot": "", "language": "", "back": None, "description": "", "fields": (), "total": 100, "examples": 3,
                          "question": "", "answer": ""}  # fmt: skip
