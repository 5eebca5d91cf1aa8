#!/usr/bin/env python3
"""Draws a run: plot.py CSV PICTURE"""
import csv
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "order-worker"
import matplotlib.pyplot as plt  # noqa: E402

with open(sys.argv[1], newline="") as file:
    rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
minutes = [row["seconds"] / 60 for row in rows]
figure, (rates, workers, ages) = plt.subplots(3, 1, sharex=True, figsize=(9, 8), layout="constrained")
rates.step(minutes, [row["offered"] for row in rows], where="post", label="sent", color="tab:gray")
rates.plot(minutes, [row["done"] for row in rows], label="done", color="tab:blue", linewidth=1)
rates.set_ylabel("orders a second")
workers.step(minutes, [row["wanted"] for row in rows], where="post", label="wanted by the rule", color="tab:gray")
workers.step(minutes, [row["workers"] for row in rows], where="post", label="running", color="tab:green")
workers.set_ylabel("workers")
ages.plot(minutes, [row["max"] for row in rows], label="oldest", color="tab:red", linewidth=1)
ages.plot(minutes, [row["p99"] for row in rows], label="99%", color="tab:orange", linewidth=1)
ages.plot(minutes, [row["p50"] for row in rows], label="half", color="tab:blue", linewidth=1)
ages.axhline(30, color="black", linestyle="--", linewidth=1, label="objective")
ages.set_ylabel("age when done, s")
ages.set_yscale("log")
ages.set_xlabel("minutes")
for part in (rates, workers, ages):
    part.grid(alpha=0.3)
    part.legend(loc="upper right", fontsize=8)
figure.savefig(sys.argv[2], metadata={"Date": None})
