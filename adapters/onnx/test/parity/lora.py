"""Compares the log-probabilities that lora.mjs wrote with those of transformers and PEFT: exit 0 if they agree to 2e-4."""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

LIMIT = 2e-4
folder = Path(sys.argv[1])
scores = json.loads((folder / "scores.json").read_text())


@torch.no_grad()
def log_probs(model):
    """Of every response token, rows one after the other."""
    values = []
    for row in scores["rows"]:
        prompt, response = row["prompt"], torch.tensor(row["response"])
        logits = model(torch.tensor([prompt + row["response"]])).logits[0, len(prompt) - 1 : -1]
        values.append(logits.log_softmax(-1).gather(1, response[:, None])[:, 0])
    return torch.cat(values)


expected = torch.tensor(scores["logp"])
base = AutoModelForCausalLM.from_pretrained(folder / "base")
gaps = {"base": (log_probs(base) - expected).abs().max().item()}
gaps["merged"] = (log_probs(AutoModelForCausalLM.from_pretrained(folder / "trained")) - expected).abs().max().item()
gaps["adapter"] = (log_probs(PeftModel.from_pretrained(base, folder / "trained" / "adapter")) - expected).abs().max().item()
for name, gap in gaps.items():
    print(f"{name:8} {gap:.2e}")
sys.exit(0 if gaps["merged"] <= LIMIT and gaps["adapter"] <= LIMIT and gaps["base"] > 100 * LIMIT else 1)
