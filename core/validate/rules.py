"""What each type of finding means: its group, how grave it is, how it reads, and the fix it has.

FAIL is what a platform refuses or what makes the training worthless; WARN is what a person should look at. A group without
findings is one PASS line.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """What a type of finding means."""

    group: str
    word: str
    """FAIL or WARN."""
    says: str
    """After "12 examples"; it begins with one of VERBS, which are turned for "1 example"."""
    fix: str | None = None
    """A name of `fixes.FIXES`."""
    noun: str = "example"


VERBS = {"have": "has", "are": "is", "hold": "holds", "teach": "teaches", "repeat": "repeats", "call": "calls", "show": "shows",
         "answer": "answers", "prefer": "prefers", "do": "does", "cannot": "cannot"}  # fmt: skip
RULES: dict[str, Rule] = {
    "unreadable_line": Rule("lines", "FAIL", "cannot be read", "drop", "line"),
    "mixed_formats": Rule("lines", "FAIL", "have another format than the rest", "to_format"),
    "no_format": Rule("lines", "FAIL", "have no known format", "drop"),
    "not_hosted_format": Rule("shape", "WARN", "are not in a format that hosted jobs take", "to_hosted"),
    "data_type": Rule("form", "FAIL", "are not an object", "drop"),
    "missing_messages_list": Rule("form", "FAIL", "have no messages", "drop"),
    "message_missing_key": Rule("form", "FAIL", "have a message without role or content", "drop"),
    "message_unrecognized_key": Rule("form", "FAIL", "have a message with a key its role does not take", "drop_keys"),
    "example_unrecognized_key": Rule("form", "WARN", "have a key the platform does not know", "drop_keys"),
    "repeated_key": Rule("form", "WARN", "have a key twice, of which the last counts"),
    "unrecognized_role": Rule("form", "FAIL", "have a message of an unknown role", "rename_roles"),
    "missing_content": Rule("form", "FAIL", "have a message without words", "drop"),
    "bad_weight": Rule("form", "FAIL", "have a weight other than 0 or 1, or not on an answer", "drop_weights"),
    "bad_name": Rule("form", "FAIL", "have a name that is no text", "drop_names"),
    "bad_tools": Rule("form", "FAIL", "have a malformed definition of tools", "drop"),
    "bad_tool_call": Rule("form", "FAIL", "have a malformed tool call", "drop"),
    "tool_without_call": Rule("form", "FAIL", "have a tool result that no call asked for", "drop"),
    "tool_call_unanswered": Rule("form", "FAIL", "have a tool call without its result", "drop"),
    "tools_not_declared": Rule("form", "WARN", "call tools that are not declared"),
    "image_not_from_user": Rule("form", "FAIL", "have a picture that is not the user's", "drop"),
    "bad_image": Rule("form", "FAIL", "have a picture that cannot be read", "drop"),
    "too_many_images": Rule("form", "FAIL", "have more than 10 pictures", "drop"),
    "too_many_image_examples": Rule("form", "FAIL", "have a picture beyond the 50,000 a file may have", "drop"),
    "preference_without_input": Rule("form", "FAIL", "have no question in their input", "drop"),
    "preference_not_one_answer": Rule("form", "FAIL", "have a side that is not one assistant message", "one_answer"),
    "preference_not_text": Rule("form", "FAIL", "hold more than text, which preferences cannot", "drop"),
    "no_rejected_answer": Rule("form", "FAIL", "have no rejected answer", "drop"),
    "same_answers": Rule("form", "FAIL", "prefer an answer to itself", "drop"),
    "roles_out_of_order": Rule("order", "WARN", "have roles out of order", "order_roles"),
    "example_missing_assistant_message": Rule("last", "FAIL", "have no answer", "drop"),
    "last_message_not_assistant": Rule("last", "FAIL", "do not end with an answer", "end_with_answer"),
    "last_message_not_user": Rule("last", "FAIL", "do not end with a question", "end_with_question"),
    "no_reference": Rule("last", "WARN", "have no key that a grader could compare with"),
    "nothing_learnt": Rule("last", "FAIL", "teach nothing: every answer has weight 0", "drop"),
    "missing_system": Rule("system", "WARN", "have no system message, others have", "add_system"),
    "missing_user": Rule("user", "WARN", "have no user message", "drop"),
    "empty_answer": Rule("information", "FAIL", "have an empty answer", "drop"),
    "answer_without_information": Rule("information", "FAIL", "have an answer without its value", "drop"),
    "conflicting_answers": Rule("conflicts", "WARN", "answer the same question differently", "drop_conflicts"),
    "duplicate_example": Rule("duplicates", "WARN", "repeat an earlier one", "drop"),
    "leak": Rule("leak", "FAIL", "are also in the validation or test rows", "drop"),
    "answer_in_prompt": Rule("prompt", "WARN", "show the answer in the question"),
    "special_token": Rule("special", "FAIL", "hold a control token such as <|end|>", "open_special"),
    "encoding_damage": Rule("damage", "WARN", "hold damaged characters", "mend"),
    "secret": Rule("private", "WARN", "hold what looks like a key", "mask"),
    "email": Rule("private", "WARN", "hold an e-mail address", "mask"),
    "personal_number": Rule("private", "WARN", "hold a phone, card, account or resident number", "mask"),
    "too_long": Rule("length", "WARN", "are longer than the limit and cut at the end", "shorten"),
}  # fmt: skip
PASSED = {
    "lines": "Every line can be read and has the same format",
    "shape": "Hosted jobs take this format",
    "form": "Every message has a known role and content",
    "order": "Speakers take turns",
    "last": "Every last message is from the assistant",
    "user": "Every example asks something",
    "information": "Every answer says something",
    "leak": "No row is also in the validation or test rows",
    "duplicates": "No example stands there twice",
    "conflicts": "No question has two different answers",
    "prompt": "No question shows its answer",
    "special": "No control tokens",
    "damage": "No damaged characters",
    "private": "No keys or personal data",
    "length": "Every example fits the limit",
}
