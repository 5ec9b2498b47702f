"""GRPO steps of TRL's GRPOTrainer on CPU with random Llama weights: the work of `npm run bench -- step`.

python bench/peers/trl_step.py SHAPE.json THREADS STEPS   (SHAPE.json: what bench/peer.mjs writes)
Prints one JSON line: seconds of every step, peak memory.
"""

import json
import os
import resource
import sys
import tempfile
import time

shape = json.load(open(sys.argv[1]))
threads, steps = int(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

torch.set_num_threads(threads)
torch.manual_seed(1)

architecture = {k: v for k, v in shape["architecture"].items() if k != "model_type"}
vocabulary = architecture["vocab_size"]
# The id of the end token lies outside what the model can sample, so that every response has its full length.
words = Tokenizer(models.WordLevel({**{str(i): i for i in range(vocabulary)}, "<end>": vocabulary}, unk_token="0"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="0", pad_token="0", eos_token="<end>")
# A padding id would make that token's embedding zero: through 60 norms of zero states its gradient overflows.
model = LlamaForCausalLM(LlamaConfig(**architecture, attention_bias=False, eos_token_id=None, bos_token_id=None, pad_token_id=None))

rows = shape["prompts"] * shape["group"]
prompts = [
    " ".join(str((i // vocabulary**t) % vocabulary if t < 4 else (7 * t + 3) % vocabulary) for t in range(shape["promptTokens"]))
    for i in range(shape["prompts"] * (steps + 1))
]


def even(completions, **_):
    return [1.0 if text and text[-1] in "02468" else 0.0 for text in completions]


times = []


class Clock(TrainerCallback):
    def on_step_begin(self, *_, **__):
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__):
        times.append(time.perf_counter() - self.start)


with tempfile.TemporaryDirectory() as folder:
    trainer = GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=even,
        train_dataset=Dataset.from_dict({"prompt": prompts}),
        callbacks=[Clock()],
        args=GRPOConfig(
            output_dir=folder,
            per_device_train_batch_size=rows,
            num_generations=shape["group"],
            max_completion_length=shape["newTokens"],
            max_steps=steps,
            learning_rate=1e-5,
            beta=0.0,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to="none",
            save_strategy="no",
            logging_steps=10**6,
            disable_tqdm=True,
            shuffle_dataset=False,
        ),
    )
    trainer.train()

print(json.dumps({"secondsPerStep": times, "peakRssGb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}))
