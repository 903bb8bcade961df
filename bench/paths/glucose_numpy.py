"""RK4 in numpy, f32, all patients in one array a state. Written against bench/paths/glucose-js.ts.

Reads a JSON header line from stdin, then f32 parameter columns; writes the CPU milliseconds of each run as a JSON line, then glucose
[reports x lanes] as f32.
"""
import json
import sys
import time

import numpy as np

header = json.loads(sys.stdin.buffer.readline())
lanes, minutes, reports = header["lanes"], header["minutes"], set(header["reports"])
p = {name: np.frombuffer(sys.stdin.buffer.read(4 * lanes), dtype=np.float32) for name in header["parameters"]}
eaten = np.array(header["eaten"], dtype=np.float32)
insulin = np.array(header["insulin"], dtype=np.float32)
f32 = np.float32
h = f32(1 / header["stepsPerMinute"])


def derivative(y, D, u, meal, out):
    Qsto1, Qsto2, Qgut, Gp, Gt, Ip, X, I1, Id, Il, Isc1, Isc2, Gs = y
    if meal is None:
        kempt = p["kmax"]
    else:
        Dbar, alpha, beta = meal
        Qsto = Qsto1 + Qsto2
        slows = np.tanh(alpha * (Qsto - p["b"] * Dbar))
        quickens = np.tanh(beta * (Qsto - p["d"] * Dbar))
        kempt = p["kmin"] + half_span * (slows - quickens + f32(2))
    moved = p["kmax"] * Qsto1
    emptied = kempt * Qsto2
    I = Ip / p["Vi"]
    outflow = p["k1"] * Gp
    inflow = p["k2"] * Gt
    EGP = np.maximum(p["kp1"] - p["kp2"] * Gp - p["kp3"] * Id, f32(0))
    renal = f32(0.0005) * np.maximum(Gp - f32(339), f32(0))
    out[0] = D - moved
    out[1] = moved - emptied
    out[2] = emptied - p["kabs"] * Qgut
    out[3] = EGP + absorbed * Qgut - f32(1) - renal - outflow + inflow
    out[4] = outflow - inflow - (p["Vm0"] + p["Vmx"] * X) * Gt / (p["Km0"] + Gt)
    out[5] = p["m1"] * Il - insulin_loss * Ip + p["ka1"] * Isc1 + p["ka2"] * Isc2
    out[6] = p["p2u"] * (I - p["Ib"] - X)
    out[7] = p["ki"] * (I - I1)
    out[8] = p["ki"] * (I1 - Id)
    out[9] = p["m2"] * Ip - liver_loss * Il
    out[10] = u - under_skin_loss * Isc1
    out[11] = p["kd"] * Isc1 - p["ka2"] * Isc2
    out[12] = p["ksc"] * (Gp - Gs)
    for i in (3, 4, 5, 9, 10, 11, 12):
        out[i][y[i] < 0] = 0


half_span = (p["kmax"] - p["kmin"]) * f32(0.5)
absorbed = f32(0.9) * p["kabs"] / p["BW"]
insulin_loss = p["m2"] + p["m4"]
liver_loss = p["m1"] + p["m30"]
under_skin_loss = p["kd"] + p["ka1"]


def simulate():
    zero = np.zeros(lanes, dtype=np.float32)
    start = [zero, zero, zero] + [p["Gpb"], p["Gtb"], p["Ipb"], zero, p["Ib"], p["Ib"], p["Ilb"], p["Isc1ss"], p["Isc2ss"], p["Gpb"]]
    y = np.stack(start)
    f = [np.empty_like(y) for _ in range(4)]
    meal, last, food, rows = None, zero, f32(0), []
    for minute in range(minutes + 1):
        if minute in reports:
            rows.append(y[3] / p["Vg"])
        if minute == minutes:
            return np.stack(rows)
        D = eaten[minute]
        u = p["uss"] * insulin[minute]
        if D > 0:
            if minute == 0 or eaten[minute - 1] == 0:
                last, food = y[0] + y[1], f32(0)
            food += D
            Dbar = last + food
            meal = (Dbar, f32(2.5) / (Dbar * (f32(1) - p["b"])), f32(2.5) / (Dbar * p["d"]))
        for _ in range(header["stepsPerMinute"]):
            derivative(y, D, u, meal, f[0])
            derivative(y + f32(0.5) * h * f[0], D, u, meal, f[1])
            derivative(y + f32(0.5) * h * f[1], D, u, meal, f[2])
            derivative(y + h * f[2], D, u, meal, f[3])
            y += (f[0] + f32(2) * (f[1] + f[2]) + f[3]) * (h / f32(6))


times = []
for _ in range(header["runs"]):
    cpu, wall = time.process_time(), time.perf_counter()
    glucose = simulate()
    times.append({"cpuMs": 1000 * (time.process_time() - cpu), "wallMs": 1000 * (time.perf_counter() - wall)})
sys.stdout.buffer.write(json.dumps(times).encode() + b"\n")
sys.stdout.buffer.write(np.ascontiguousarray(glucose, dtype=np.float32).tobytes())
