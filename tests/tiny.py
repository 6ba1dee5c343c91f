"""A tiny Llama with random weights and its byte-level tokenizer, made in a second: the real code paths without the real model."""

from __future__ import annotations

import json
from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = [
    "the price is 12 dollars",
    "a blue kettle with a lid",
    "Who keeps the green lamp? Mira does.",
    "누가 초록 램프를 가지고 있나요?",
] * 8


def tiny_model(folder: Path, seed: int = 0, width: int = 32) -> Path:
    """A model folder in the Hugging Face layout: 2 layers, about 400 byte-level tokens, chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )  # type: ignore[assignment]
    words.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    words.train_from_iterator(WORDS, trainer)
    words.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": special[1], "eos_token": special[2], "pad_token": special[2],
        "unk_token": special[0], "chat_template": TEMPLATE, "model_max_length": 2048,
    }))  # fmt: skip
    torch.manual_seed(seed)
    config = LlamaConfig(vocab_size=words.get_vocab_size(), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
                         pad_token_id=2)  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)  # random weights of the usual size say one token for ever; larger ones disagree with each other
    model.save_pretrained(str(folder))
    return folder
