import * as tf from '@tensorflow/tfjs-core';
import { stepsPerMinute, type GlucosePath, type GlucoseWork } from '../glucose-work.ts';

type T = tf.Tensor1D;

const h = 1 / stepsPerMinute;

/**
 * RK4, op by op, as one writes it with tfjs: a tensor of all patients for each state. The backend must be
 * registered. `timedMinutes`: how much of the day a run goes through; the ops of a minute are always the same.
 */
export async function glucoseTfjs(work: GlucoseWork, backend: string, timedMinutes: number): Promise<GlucosePath> {
  await tf.setBackend(backend);
  await tf.ready();
  const p = Object.fromEntries(
    Object.entries(work.patients).map(([symbol, values]) => [symbol, tf.tensor1d(Float32Array.from(values))]),
  ) as Record<string, T>;
  const zero = tf.zerosLike(p.BW) as T;
  // Made once: tfjs makes a tensor of every number that it is handed, each time, and sends it to the GPU.
  const [one, two, renalThreshold, renalClearance] = [1, 2, 339, 0.0005].map((value) => tf.scalar(value));
  const [whole, half, sixth] = [h, h / 2, h / 6].map((value) => tf.scalar(value));
  const halfSpan = tf.mul(tf.sub(p.kmax, p.kmin), 0.5) as T;
  const absorbed = tf.div(tf.mul(p.kabs, 0.9), p.BW) as T;
  const insulinLoss = tf.add(p.m2, p.m4) as T;
  const liverLoss = tf.add(p.m1, p.m30) as T;
  const underSkinLoss = tf.add(p.kd, p.ka1) as T;
  const start = [zero, zero, zero, p.Gpb, p.Gtb, p.Ipb, zero, p.Ib, p.Ib, p.Ilb, p.Isc1ss, p.Isc2ss, p.Gpb];
  const scalars = [one, two, renalThreshold, renalClearance, whole, half, sixth];
  const constants = [...Object.values(p), ...scalars, zero, halfSpan, absorbed, insulinLoss, liverLoss, underSkinLoss];

  const held = (state: T, change: tf.Tensor): T => tf.where(tf.less(state, zero), zero, change as T);
  const derivative = (s: readonly T[], D: tf.Tensor, u: T, meal: { Dbar: T; alpha: T; beta: T } | null): T[] => {
    const [Qsto1, Qsto2, Qgut, Gp, Gt, Ip, X, I1, Id, Il, Isc1, Isc2, Gs] = s;
    let kempt: tf.Tensor = p.kmax;
    if (meal) {
      const Qsto = tf.add(Qsto1, Qsto2);
      const slows = tf.tanh(tf.mul(meal.alpha, tf.sub(Qsto, tf.mul(p.b, meal.Dbar))));
      const quickens = tf.tanh(tf.mul(meal.beta, tf.sub(Qsto, tf.mul(p.d, meal.Dbar))));
      kempt = tf.add(p.kmin, tf.mul(halfSpan, tf.add(tf.sub(slows, quickens), two)));
    }
    const emptied = tf.mul(kempt, Qsto2);
    const EGP = tf.relu(tf.sub(tf.sub(p.kp1, tf.mul(p.kp2, Gp)), tf.mul(p.kp3, Id)));
    const renal = tf.mul(tf.relu(tf.sub(Gp, renalThreshold)), renalClearance);
    const I = tf.div(Ip, p.Vi);
    const outflow = tf.mul(p.k1, Gp);
    const inflow = tf.mul(p.k2, Gt);
    const Uid = tf.div(tf.mul(tf.add(p.Vm0, tf.mul(p.Vmx, X)), Gt), tf.add(p.Km0, Gt));
    const moved = tf.mul(p.kmax, Qsto1);
    return [
      tf.sub(D, moved) as T,
      tf.sub(moved, emptied) as T,
      tf.sub(emptied, tf.mul(p.kabs, Qgut)) as T,
      held(Gp, tf.add(tf.sub(tf.sub(tf.sub(tf.add(EGP, tf.mul(absorbed, Qgut)), one), renal), outflow), inflow)),
      held(Gt, tf.sub(tf.sub(outflow, Uid), inflow)),
      held(Ip, tf.add(tf.sub(tf.mul(p.m1, Il), tf.mul(insulinLoss, Ip)), tf.add(tf.mul(p.ka1, Isc1), tf.mul(p.ka2, Isc2)))),
      tf.mul(p.p2u, tf.sub(tf.sub(I, p.Ib), X)) as T,
      tf.mul(p.ki, tf.sub(I, I1)) as T,
      tf.mul(p.ki, tf.sub(I1, Id)) as T,
      held(Il, tf.sub(tf.mul(p.m2, Ip), tf.mul(liverLoss, Il))),
      held(Isc1, tf.sub(u, tf.mul(underSkinLoss, Isc1))),
      held(Isc2, tf.sub(tf.mul(p.kd, Isc1), tf.mul(p.ka2, Isc2))),
      held(Gs, tf.mul(p.ksc, tf.sub(Gp, Gs))),
    ];
  };

  const simulate = async (minutes: number, onReport: (glucose: T) => Promise<void>): Promise<void> => {
    let y: T[] = start.map((tensor) => tf.clone(tensor));
    let food = 0;
    let lastQsto: T = tf.clone(zero);
    let meal: { Dbar: T; alpha: T; beta: T } | null = null;
    for (let minute = 0; minute <= minutes; minute++) {
      if (work.reports.includes(minute)) {
        const glucose = tf.div(y[3], p.Vg) as T;
        await onReport(glucose);
        glucose.dispose();
      }
      if (minute === minutes) break;
      const D = work.eaten[minute];
      if (D > 0) {
        if (minute === 0 || work.eaten[minute - 1] === 0) {
          lastQsto.dispose();
          lastQsto = tf.add(y[0], y[1]) as T;
          food = 0;
        }
        food += D;
        if (meal) tf.dispose(meal);
        meal = tf.tidy(() => {
          const Dbar = tf.add(lastQsto, food) as T;
          return {
            Dbar,
            alpha: tf.div(2.5, tf.mul(Dbar, tf.sub(1, p.b))) as T,
            beta: tf.div(2.5, tf.mul(Dbar, p.d)) as T,
          };
        });
      }
      const now = meal;
      const u = tf.mul(p.uss, work.insulin[minute]) as T;
      const eating = tf.scalar(D);
      for (let step = 0; step < stepsPerMinute; step++) {
        const before = y;
        y = tf.tidy(() => {
          const along = (slope: readonly T[], t: tf.Tensor): T[] =>
            before.map((state, i) => tf.add(state, tf.mul(slope[i], t)) as T);
          const f1 = derivative(before, eating, u, now);
          const f2 = derivative(along(f1, half), eating, u, now);
          const f3 = derivative(along(f2, half), eating, u, now);
          const f4 = derivative(along(f3, whole), eating, u, now);
          return before.map((state, i) => {
            const middle = tf.mul(tf.add(f2[i], f3[i]), two);
            return tf.add(state, tf.mul(tf.add(tf.add(f1[i], f4[i]), middle), sixth)) as T;
          });
        });
        tf.dispose(before);
      }
      tf.dispose([u, eating]);
    }
    await y[3].data();
    tf.dispose([y, lastQsto, ...(meal ? [meal.Dbar, meal.alpha, meal.beta] : [])]);
  };

  return {
    share: timedMinutes / work.minutes,
    run: async () => {
      await tf.setBackend(backend);
      await simulate(timedMinutes, async () => {});
    },
    glucose: async () => {
      await tf.setBackend(backend);
      const reports = work.reports.filter((minute) => minute <= timedMinutes);
      const out = new Float32Array(reports.length * work.lanes);
      let report = 0;
      await simulate(timedMinutes, async (glucose) => out.set(await glucose.data<'float32'>(), report++ * work.lanes));
      return out;
    },
    dispose: () => tf.dispose(constants),
  };
}
