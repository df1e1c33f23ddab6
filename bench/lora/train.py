"""Trains a LoRA adapter of a small model on the CPU, from the folder that `grounded finetune dataset` makes.

    train.py FOLDER --base MODEL.gguf --out ADAPTER.gguf

The base is read from its GGUF file, of the llama architecture, and the adapter is written as GGUF, for `grounded models add --lora`.
Only the assistant's words are learned. The loss on validation.jsonl is printed after each epoch; the adapter of the best is kept.
"""
import argparse, json, math, os, random, sys

import gguf
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

# The attention's queries and keys stand in another order in GGUF; they are left as they are.
TARGETS = {"v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--base", required=True, help="GGUF file of the model")
    p.add_argument("--out", required=True, help="GGUF file of the adapter")
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--alpha", type=int, default=32)
    p.add_argument("--rate", type=float, default=5e-4, help="learning rate at its highest")
    p.add_argument("--batch", type=int, default=8, help="examples a step")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    random.seed(a.seed)
    torch.manual_seed(a.seed)

    base = os.path.realpath(a.base)
    where, file = os.path.split(base)
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(where, gguf_file=file, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=a.rank, lora_alpha=a.alpha, lora_dropout=0.05, target_modules=list(TARGETS), task_type="CAUSAL_LM"))

    train = examples(os.path.join(a.folder, "train.jsonl"), tokenizer)
    validation = examples(os.path.join(a.folder, "validation.jsonl"), tokenizer)
    print(f"{len(train)} examples, {sum(len(i) for i, _ in train)} tokens, {len(validation)} of validation", flush=True)
    best = evaluate(model, validation, a.batch)
    print(f"before: validation loss {best:.4f}", flush=True)

    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=a.rate, weight_decay=0.0)
    steps = a.epochs * math.ceil(len(train) / a.batch)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, 0.5 * (1 + math.cos(math.pi * s / steps))))
    improved = False
    for epoch in range(1, a.epochs + 1):
        model.train()
        total = count = 0
        for n, batch in enumerate(batches(train, a.batch, shuffled=True)):
            loss, tokens = loss_of(model, batch)
            (loss / tokens).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total, count = total + loss.item(), count + tokens
            if n % 10 == 9:
                print(f"epoch {epoch}, step {n + 1}: loss {total / count:.4f}", flush=True)
        now = evaluate(model, validation, a.batch)
        print(f"epoch {epoch}: loss {total / count:.4f}, validation loss {now:.4f}", flush=True)
        if now < best:
            best, improved = now, True
            write(model, a)
    if not improved:
        sys.exit("no epoch was better than the base: no adapter was written; try a lower --rate")
    print(f"wrote {a.out}: validation loss {best:.4f}")


def examples(path, tokenizer):
    """Token ids and labels of each chat; -100 is what is not learned."""
    made = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            messages = json.loads(line)["messages"]
            asked = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
            whole = tokenizer.apply_chat_template(messages, tokenize=False).rstrip("\n")
            assert whole.startswith(asked), "the chat template changes what was asked"
            prompt = tokenizer(asked, add_special_tokens=False)["input_ids"]
            answer = tokenizer(whole[len(asked):], add_special_tokens=False)["input_ids"]
            made.append((prompt + answer, [-100] * len(prompt) + answer))
    return made


def batches(made, size, shuffled):
    """Examples of like length together, so that little is padding."""
    order = sorted(range(len(made)), key=lambda i: (len(made[i][0]), i))
    groups = [order[i:i + size] for i in range(0, len(order), size)]
    if shuffled:
        random.shuffle(groups)
    for group in groups:
        yield [made[i] for i in group]


def loss_of(model, batch):
    """The summed loss of a batch, and of how many tokens."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([i + [0] * (longest - len(i)) for i, _ in batch])
    mask = torch.tensor([[1] * len(i) + [0] * (longest - len(i)) for i, _ in batch])
    labels = torch.tensor([l + [-100] * (longest - len(l)) for _, l in batch])[:, 1:]
    hidden = model.get_base_model().model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
    learned = labels != -100
    logits = model.get_base_model().lm_head(hidden[learned])  # of the learned tokens alone: the vocabulary is large
    return torch.nn.functional.cross_entropy(logits.float(), labels[learned], reduction="sum"), int(learned.sum())


@torch.no_grad()
def evaluate(model, made, size):
    model.eval()
    total = count = 0
    for batch in batches(made, size, shuffled=False):
        loss, tokens = loss_of(model, batch)
        total, count = total + loss.item(), count + tokens
    return total / count


def write(model, a):
    """Writes the adapter as llama.cpp reads it, whole or not at all."""
    temporary = a.out + ".part"
    w = gguf.GGUFWriter(temporary, "llama")
    w.add_type("adapter")
    w.add_name(os.path.basename(a.out).removesuffix(".gguf"))
    w.add_string("adapter.type", "lora")
    w.add_float32("adapter.lora.alpha", float(a.alpha))
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        parts = name.split(".")
        layer = parts[parts.index("layers") + 1]
        target = next(t for t in TARGETS if t in parts)
        half = "lora_a" if "lora_A" in parts else "lora_b"
        w.add_tensor(f"blk.{layer}.{TARGETS[target]}.weight.{half}", weight.detach().float().contiguous().numpy())
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    os.replace(temporary, a.out)


if __name__ == "__main__":
    main()
