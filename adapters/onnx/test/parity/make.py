"""Makes fixtures/: tiny checkpoints of every family, and what transformers and PyTorch compute of them.

    pip install torch transformers tokenizers safetensors trl gguf
    python make.py                        # write fixtures/ (the tests read it; they need no Python)
    python make.py --compare A B          # largest difference between the logits of two model folders

trl is read for the chat templates of released models, gguf writes and de-quantises GGUF files.
"""

import argparse
import base64
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

HERE = Path(__file__).parent / "fixtures"

CORPUS = """What is the sum of twelve and seven? The sum of twelve and seven is nineteen.
A train leaves the station at 10:45 and travels 120 kilometres in 2 hours; how fast is it? It's sixty kilometres an hour.
Don't we'll they're you've I'm he'd she's: the answer is what the question asks for, isn't it?
Let x = 3 and y = 4. Then x + y = 7 and x * y = 12, so (x + y) * 2 = 14.
If there are three apples in the basket and two of them are eaten, then one apple is left in the basket.
The quick brown fox jumps over the lazy dog. Il était une fois, in einer großen Stadt, 東京の空 and a naïve café.
Think step by step, then write the final answer after the last line. The final answer is 42.
def add(a, b):\n    return a + b\n\nprint(add(1, 2))  # three
You are a helpful assistant that answers questions about numbers, words and the weather in short sentences.
"""

TEXTS = [
    "What is the sum of 12 and 345?",
    "  two  spaces, a\ttab and\n\n  new lines \n",
    "Don't we'll THEY'RE you've — naïve café, 東京 🙂",
    "x = 3.14e-5; y_1 = (a+b)*2",
    "",
    " ",
    "<|im_start|>user\nhi<|im_end|> </s> <s>[INST] <|eot_id|><|endoftext|>",
    "e\u0301 is \u00e9 in another form",
]

CHATS = [
    [{"role": "user", "content": "What is 2 + 3?"}],
    [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "  What is 2 + 3?\n"}],
    [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "What is 2 + 3?"},
        {"role": "assistant", "content": "<think>\ntwo and three\n</think>\n\nFive."},
        {"role": "user", "content": "And 3 + 4?"},
        {"role": "assistant", "content": "Seven."},
        {"role": "user", "content": "Thank you, \"that\" is <all> & more."},
    ],
]

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPLIT = LLAMA3_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")


def released_template(name):
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()


def byte_level(cut, specials, vocabulary=420, normalizer=None, begin=None, ignore_merges=False):
    """Byte-level pair encoding, trained on the corpus."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = cut
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainer)
    if begin is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    return tokenizer


def split(pattern):
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def sentencepiece(vocabulary=520):
    """Llama's first tokenizer: spaces are a character of their own, unknown characters fall back to bytes."""
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=specials, show_progress=False, limit_alphabet=64)
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < 3]
    content["pre_tokenizer"] = None
    content["normalizer"] = {
        "type": "Sequence",
        "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}],
    }
    content["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return tokenizer


CHATML_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SIZES = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)


def families():
    """Name → tokenizer, its special tokens, chat template, config, stored type, shard size."""
    byte_cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_cut])
    chatml = dict(bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>", unk_token="<|endoftext|>")
    qwen = dict(eos_token="<|im_end|>", pad_token="<|endoftext|>")
    llama3 = dict(bos_token="<|begin_of_text|>", eos_token="<|eot_id|>")
    return {
        "smollm2": dict(
            tokenizer=byte_level(digits, CHATML_SPECIALS),
            tokens=chatml,
            template=CHATML,
            config=LlamaConfig(**SIZES, vocab_size=448, rope_theta=100000.0, rms_norm_eps=1e-5, max_position_embeddings=128),
            tied=True,
        ),
        "llama3": dict(
            tokenizer=byte_level(
                split(LLAMA3_SPLIT),
                ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
                begin="<|begin_of_text|>",
                ignore_merges=True,
            ),
            tokens=llama3,
            template=released_template("llama3"),
            config=LlamaConfig(
                **SIZES,
                vocab_size=448,
                rms_norm_eps=1e-5,
                max_position_embeddings=256,
                rope_parameters=dict(
                    rope_type="llama3",
                    rope_theta=10000.0,
                    factor=8.0,
                    low_freq_factor=1.0,
                    high_freq_factor=4.0,
                    original_max_position_embeddings=32,
                ),
            ),
            tied=False,
            dtype=torch.bfloat16,
            shard="60KB",
            legacy=True,
        ),
        "tinyllama": dict(
            tokenizer=sentencepiece(),
            tokens=dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>"),
            template=ZEPHYR,
            config=LlamaConfig(
                **SIZES,
                vocab_size=544,
                max_position_embeddings=128,
                rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.5),
            ),
            tied=False,
            dtype=torch.float16,
        ),
        "qwen2": dict(
            tokenizer=byte_level(split(QWEN2_SPLIT), CHATML_SPECIALS, normalizer=normalizers.NFC()),
            tokens=qwen,
            template=released_template("qwen2_5"),
            config=Qwen2Config(**SIZES, vocab_size=448, max_position_embeddings=128, rope_theta=1000000.0),
            tied=True,
        ),
        "qwen3": dict(
            tokenizer=byte_level(split(QWEN2_SPLIT), [*CHATML_SPECIALS], normalizer=normalizers.NFC()),
            plain_tokens=["<think>", "</think>"],
            tokens=qwen,
            template=released_template("qwen3"),
            config=Qwen3Config(
                **SIZES,
                head_dim=16,
                vocab_size=448,
                max_position_embeddings=128,
                rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32),
            ),
            tied=False,
        ),
        "gpt2": dict(
            tokenizer=byte_level(byte_cut, ["<|endoftext|>"]),
            tokens=dict(bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>"),
            template=None,
            config=GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=96, vocab_size=448),
            tied=True,
        ),
        "llama-biases": dict(
            tokenizer=byte_level(digits, CHATML_SPECIALS),
            tokens=chatml,
            template=CHATML,
            config=LlamaConfig(
                **{**SIZES, "num_hidden_layers": 1},
                head_dim=12,
                attention_bias=True,
                mlp_bias=True,
                vocab_size=448,
                max_position_embeddings=128,
            ),
            tied=False,
        ),
    }


def fill(model, seed):
    """Values of every parameter that make each matter: no bias is zero, no norm is one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            norm = "norm" in name or ".ln_" in name
            mean, deviation = (1.0, 0.2) if norm and name.endswith("weight") else (0.0, 0.15)
            value.copy_(mean + deviation * torch.randn(value.shape, generator=generator))


def sample_rows(vocabulary, seed):
    """Ragged prompts and responses, two to a prompt, without special tokens: PyTorch gives the embedding of padding no gradient."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda n: torch.randint(8, vocabulary, (n,), generator=generator).tolist()  # noqa: E731
    prompts = [draw(n) for n in (1, 17, 6, 40)]
    return [(prompt, draw(n)) for prompt, lengths in zip(prompts, [(5, 9), (12, 1), (7, 7), (20, 3)]) for n in lengths]


def forward(model, rows):
    """Logits [T, V] that predict each response token, from one batch with padding on the left."""
    width = max(len(p) + len(r) for p, r in rows)
    ids = torch.tensor([[0] * (width - len(p) - len(r)) + p + r for p, r in rows])
    mask = torch.tensor([[0] * (width - len(p) - len(r)) + [1] * (len(p) + len(r)) for p, r in rows])
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits
    return [logits[i, width - len(r) - 1 : width - 1] for i, (_, r) in enumerate(rows)]


def log_probabilities(logits, rows):
    picked = [z.log_softmax(-1).gather(1, torch.tensor(r)[:, None])[:, 0] for z, (_, r) in zip(logits, rows)]
    return torch.cat(picked)


def grpo(logp, old, reference, advantages, lengths):
    """Clipped surrogate with 0.2, and 0.04 times the k3 estimate of the divergence; mean over all tokens."""
    advantage = torch.repeat_interleave(advantages, torch.tensor(lengths))
    ratio = (logp - old).exp()
    surrogate = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
    gap = reference - logp
    return (-surrogate + 0.04 * (gap.exp() - gap - 1)).mean()


def expectations(model, tokenizer, folder):
    from safetensors.torch import save_file

    rows = sample_rows(len(tokenizer), seed=11)
    logits = forward(model, rows)
    logp = log_probabilities(logits, rows)
    generator = torch.Generator().manual_seed(sum(map(ord, folder.name)))
    old = logp.detach() + 0.3 * torch.randn(logp.shape, generator=generator)
    reference = logp.detach() + 0.3 * torch.randn(logp.shape, generator=generator)
    advantages = torch.randn(len(rows), generator=generator)
    loss = grpo(logp, old, reference, advantages, [len(r) for _, r in rows])
    model.zero_grad()
    loss.backward()
    gradients = {f"gradient.{name}": value.grad.clone() for name, value in model.named_parameters()}

    generated = []
    for prompt in [p for p, _ in rows[::2]]:
        with torch.no_grad():
            ids = torch.tensor([prompt])
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=16, eos_token_id=None, pad_token_id=0
            )
        generated.append(dict(prompt=prompt, response=out[0, len(prompt) :].tolist()))

    tensors = {"logits": torch.cat(logits).detach(), "logp": logp.detach(), "old": old, "reference": reference, **gradients}
    save_file({name: value.contiguous().float() for name, value in tensors.items()}, folder / "expected.safetensors")
    chats = []
    if tokenizer.chat_template is not None:
        for messages in CHATS:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            chats.append(dict(messages=messages, text=text, ids=tokenizer(text, add_special_tokens=False).input_ids))
    texts = []
    for text in TEXTS:
        ids = tokenizer(text).input_ids
        texts.append(dict(text=text, ids=ids, plain=tokenizer(text, add_special_tokens=False).input_ids, decoded=tokenizer.decode(ids)))
    expected = dict(
        rows=[dict(prompt=p, response=r) for p, r in rows],
        advantages=advantages.tolist(),
        loss=loss.item(),
        generated=generated,
        chats=chats,
        texts=texts,
    )
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=None) + "\n")


def make_family(name, seed, *, tokenizer, tokens, template, config, tied, dtype=torch.float32, shard="1GB", legacy=False, plain_tokens=()):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **tokens)
    wrapped.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain_tokens])
    wrapped.chat_template = template
    config.tie_word_embeddings = tied
    for role in ("bos", "eos", "pad"):
        setattr(config, f"{role}_token_id", getattr(wrapped, f"{role}_token_id"))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    fill(model, seed)
    model.to(dtype)
    model.generation_config = GenerationConfig(eos_token_id=[wrapped.eos_token_id], bos_token_id=wrapped.bos_token_id)
    model.save_pretrained(folder, max_shard_size=shard)
    wrapped.save_pretrained(folder)
    if legacy:
        path = folder / "config.json"
        stored = json.loads(path.read_text())
        scaling = stored.pop("rope_parameters")
        stored["rope_theta"] = scaling.pop("rope_theta")
        stored["rope_scaling"] = scaling
        stored["torch_dtype"] = stored.pop("dtype")
        path.write_text(json.dumps(stored, indent=2) + "\n")
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    expectations(loaded, AutoTokenizer.from_pretrained(folder), folder)


def unpaired_to_pairs(weight, heads):
    """Rows of each head from halves to neighbours, as llama.cpp stores Llama."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def make_gguf(name, types, tokenizer_kind, pre):
    """The family's checkpoint as a GGUF file whose tensors take the types in turn, and what transformers computes of it."""
    import gguf

    source, folder = HERE / name, HERE / f"{name}-gguf"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(source)
    config = model.config
    architecture = "llama" if config.model_type == "llama" else config.model_type
    writer = gguf.GGUFWriter(folder / "model.gguf", architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if architecture == "gpt2":
        writer.add_feed_forward_length(4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
        if config.rope_parameters["rope_type"] == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(config.rope_parameters["factor"])

    backend = json.loads((source / "tokenizer.json").read_text())
    special = {token["content"]: token["special"] for token in backend["added_tokens"]}
    tokens = [""] * len(tokenizer)
    for token, index in tokenizer.get_vocab().items():
        tokens[index] = token
    kinds = [(3 if special[t] else 4) if t in special else 6 if t.startswith("<0x") else 1 for t in tokens]
    padding = range(len(tokens), config.vocab_size)
    tokens += [f"[PAD{index}]" for index in padding]
    kinds += [5 for _ in padding]
    writer.add_tokenizer_model(tokenizer_kind)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
        writer.add_token_merges([" ".join(pair) for pair in backend["model"]["merges"]])
    else:
        writer.add_token_scores([-float(max(0, i - 258)) for i in range(len(tokens))])
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    for role in ("bos", "eos", "pad", "unk"):
        index = getattr(tokenizer, f"{role}_token_id")
        if index is not None:
            getattr(writer, f"add_{role}_token_id")(index)
    if tokenizer.chat_template is not None:
        writer.add_chat_template(tokenizer.chat_template)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], config.num_hidden_layers)
    turn = 0
    for parameter, value in model.state_dict().items():
        if config.tie_word_embeddings and parameter == "lm_head.weight":
            continue
        array = value.numpy()
        if architecture == "llama" and ".q_proj." in parameter:
            array = unpaired_to_pairs(array, config.num_attention_heads)
        if architecture == "llama" and ".k_proj." in parameter:
            array = unpaired_to_pairs(array, config.num_key_value_heads)
        if architecture == "gpt2" and parameter.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
            array = array.T
        kind = gguf.GGMLQuantizationType.F32
        if array.ndim == 2:
            kind = gguf.GGMLQuantizationType[types[turn % len(types)]]
            turn += 1
        stored = gguf.quants.quantize(np.ascontiguousarray(array), kind)
        writer.add_tensor(names.get_name(parameter, try_suffixes=(".weight", ".bias")), stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # The source's config, because transformers does not read the scaling of positions from GGUF.
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="model.gguf", config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    expectations(loaded, tokenizer, folder)


def make_parts(name, tensors):
    """The GGUF file again in parts of so many tensors."""
    import gguf

    folder = HERE / f"{name}-gguf-parts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    reader = gguf.GGUFReader(HERE / f"{name}-gguf" / "model.gguf")
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(folder / "model.gguf", architecture, split_max_tensors=tensors)
    for field in reader.fields.values():
        if field.name != "general.architecture" and not field.name.startswith("GGUF."):
            writer.add_key_value(field.name, field.contents(), field.types[0], field.types[-1])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_blocks():
    """Random blocks of every quantised type with what the gguf package reads of them."""
    import gguf

    random = np.random.default_rng(3)
    scales = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "Q4_1": [0, 2], "Q5_1": [0, 2]}
    blocks = {}
    for name in ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]:
        kind = gguf.GGMLQuantizationType[name]
        _, size = gguf.GGML_QUANT_SIZES[kind]
        data = random.integers(0, 256, (2, size), dtype=np.uint8)
        for at in scales.get(name, [0]):
            data[:, at : at + 2] = random.normal(0, 0.1, (2, 1)).astype(np.float16).view(np.uint8)
        values = gguf.quants.dequantize(data, kind)
        encode = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()  # noqa: E731
        blocks[name] = dict(bytes=encode(data), values=encode(values.astype("<f4")))
    (HERE / "blocks.json").write_text(json.dumps(blocks, indent=1) + "\n")


def compare(first, second):
    load = lambda folder: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()  # noqa: E731
    a, b = load(first), load(second)
    rows = sample_rows(a.config.vocab_size, seed=21)
    with torch.no_grad():
        gaps = [(x - y).abs().max().item() for x, y in zip(forward(a, rows), forward(b, rows))]
    one, two = AutoTokenizer.from_pretrained(first), AutoTokenizer.from_pretrained(second)
    same = all(one(text).input_ids == two(text).input_ids for text in TEXTS) and one.chat_template == two.chat_template
    print(f"{first}: largest difference of the logits {max(gaps):.3g}, tokenizer and template {'equal' if same else 'DIFFERENT'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", nargs=2, metavar="FOLDER")
    given = parser.parse_args()
    if given.compare:
        compare(*given.compare)
        return
    torch.manual_seed(0)
    HERE.mkdir(exist_ok=True)
    for seed, (name, family) in enumerate(families().items()):
        make_family(name, seed, **family)
    make_gguf("smollm2", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "F16", "BF16"], "gpt2", "smollm")
    make_gguf("tinyllama", ["Q8_0", "F16"], "llama", None)
    make_gguf("qwen2", ["F32", "Q8_0"], "gpt2", "qwen2")
    make_gguf("gpt2", ["F32", "Q8_0"], "gpt2", "gpt-2")
    make_parts("smollm2", 8)
    make_blocks()


if __name__ == "__main__":
    main()
