import { stepsPerMinute, type GlucosePath, type GlucoseWork } from '../glucose-work.ts';

/** What one would write without an engine: f64, one patient at a time, RK4. */
export function glucoseJs(work: GlucoseWork): GlucosePath {
  const all = (): Float64Array => {
    const out = new Float64Array(work.reports.length * work.lanes);
    for (let lane = 0; lane < work.lanes; lane++) simulatePatient(work, lane, out);
    return out;
  };
  return {
    share: 1,
    run: async () => void all(),
    glucose: async () => all(),
    dispose: () => {},
  };
}

const size = 13;
const h = 1 / stepsPerMinute;

/** Writes a column of `out` [reports × lanes]. Letters are those of the specification (Dalla Man, Rizza & Cobelli 2007). */
function simulatePatient(
  { patients, eaten, insulin, minutes, reports, lanes }: GlucoseWork,
  lane: number,
  out: Float64Array,
): void {
  const of = (symbol: string): number => patients[symbol][lane];
  const [BW, Vg, Vi, Vmx, Km0] = [of('BW'), of('Vg'), of('Vi'), of('Vmx'), of('Km0')];
  const [kabs, kmax, kmin, b, d] = [of('kabs'), of('kmax'), of('kmin'), of('b'), of('d')];
  const [k1, k2, kp1, kp2, kp3, Vm0, Ib, p2u] = [
    of('k1'),
    of('k2'),
    of('kp1'),
    of('kp2'),
    of('kp3'),
    of('Vm0'),
    of('Ib'),
    of('p2u'),
  ];
  const [m1, m2, m4, m30, ki, kd, ka1, ka2, ksc, uss] = [
    of('m1'),
    of('m2'),
    of('m4'),
    of('m30'),
    of('ki'),
    of('kd'),
    of('ka1'),
    of('ka2'),
    of('ksc'),
    of('uss'),
  ];
  const y = Float64Array.of(
    ...[0, 0, 0, of('Gpb'), of('Gtb'), of('Ipb'), 0, Ib, Ib, of('Ilb'), of('Isc1ss'), of('Isc2ss'), of('Gpb')],
  );
  let Dbar = 0;
  let D = 0;
  let u = 0;

  const derivative = (s: Float64Array, dy: Float64Array): void => {
    const Qsto = s[0] + s[1];
    let kempt = kmax;
    if (Dbar > 0) {
      const alpha = 2.5 / (Dbar * (1 - b));
      const beta = 2.5 / (Dbar * d);
      kempt = kmin + ((kmax - kmin) / 2) * (Math.tanh(alpha * (Qsto - b * Dbar)) - Math.tanh(beta * (Qsto - d * Dbar)) + 2);
    }
    const [Gp, Gt, Ip, X] = [s[3], s[4], s[5], s[6]];
    const EGP = Math.max(kp1 - kp2 * Gp - kp3 * s[8], 0);
    const renal = Math.max(0.0005 * (Gp - 339), 0);
    const I = Ip / Vi;
    dy[0] = D - kmax * s[0];
    dy[1] = kmax * s[0] - kempt * s[1];
    dy[2] = kempt * s[1] - kabs * s[2];
    dy[3] = Gp < 0 ? 0 : EGP + (0.9 * kabs * s[2]) / BW - 1 - renal - k1 * Gp + k2 * Gt;
    dy[4] = Gt < 0 ? 0 : (-(Vm0 + Vmx * X) * Gt) / (Km0 + Gt) + k1 * Gp - k2 * Gt;
    dy[5] = Ip < 0 ? 0 : -(m2 + m4) * Ip + m1 * s[9] + ka1 * s[10] + ka2 * s[11];
    dy[6] = p2u * (I - Ib - X);
    dy[7] = -ki * (s[7] - I);
    dy[8] = -ki * (s[8] - s[7]);
    dy[9] = s[9] < 0 ? 0 : -(m1 + m30) * s[9] + m2 * Ip;
    dy[10] = s[10] < 0 ? 0 : u - (kd + ka1) * s[10];
    dy[11] = s[11] < 0 ? 0 : kd * s[10] - ka2 * s[11];
    dy[12] = s[12] < 0 ? 0 : ksc * (Gp - s[12]);
  };

  const [stage, f1, f2, f3, f4] = Array.from({ length: 5 }, () => new Float64Array(size));
  let lastQsto = 0;
  let food = 0;
  let report = 0;
  for (let minute = 0; minute <= minutes; minute++) {
    if (minute === reports[report]) out[report++ * lanes + lane] = y[3] / Vg;
    if (minute === minutes) break;
    D = eaten[minute];
    u = uss * insulin[minute];
    if (D > 0) {
      if (minute === 0 || eaten[minute - 1] === 0) {
        lastQsto = y[0] + y[1];
        food = 0;
      }
      food += D;
      Dbar = lastQsto + food;
    }
    for (let step = 0; step < stepsPerMinute; step++) {
      derivative(y, f1);
      for (let i = 0; i < size; i++) stage[i] = y[i] + 0.5 * h * f1[i];
      derivative(stage, f2);
      for (let i = 0; i < size; i++) stage[i] = y[i] + 0.5 * h * f2[i];
      derivative(stage, f3);
      for (let i = 0; i < size; i++) stage[i] = y[i] + h * f3[i];
      derivative(stage, f4);
      for (let i = 0; i < size; i++) y[i] += (h / 6) * (f1[i] + 2 * f2[i] + 2 * f3[i] + f4[i]);
    }
  }
}
