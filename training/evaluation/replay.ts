import { defined, notDefined, type Estimate } from '#numerics/estimate.ts';

/** One arm of a simulated trial at each grid time: cumulative incidence of the event, and of what takes people out of risk besides. */
export interface ArmCurve {
  readonly event: ArrayLike<number>;
  readonly competing?: ArrayLike<number>;
}

/**
 * The hazard ratio that a Cox model (Breslow ties) would find in a trial of endless size with these two arms: the root of its
 * score, with expected events and people at risk of each step in place of counts. So it has no sampling error of its own.
 */
export function hazardRatioOfCurves(control: ArmCurve, treated: ArmCurve): Estimate {
  const steps = control.event.length - 1;
  const rise = (arm: ArmCurve, t: number) => arm.event[t + 1]! - arm.event[t]!;
  const atRisk = (arm: ArmCurve, t: number) => 1 - arm.event[t]! - (arm.competing?.[t] ?? 0);
  let beta = 0;
  for (let iteration = 0; iteration < 50; iteration++) {
    let score = 0;
    let information = 0;
    for (let t = 0; t < steps; t++) {
      const weighted = atRisk(treated, t) * Math.exp(beta);
      const share = weighted / (weighted + atRisk(control, t));
      const events = rise(control, t) + rise(treated, t);
      score += rise(treated, t) - events * share;
      information += events * share * (1 - share);
    }
    if (!(information > 0)) return notDefined('no events in the simulated arms');
    const move = score / information;
    beta += move;
    if (Math.abs(move) < 1e-10) return defined(Math.exp(beta));
  }
  return notDefined('the score has no root');
}

/** Mean of people's curves: the arm's own curve. */
export function meanCurve(curves: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(curves[0]?.length ?? 0);
  for (const curve of curves) for (let t = 0; t < mean.length; t++) mean[t]! += curve[t]! / curves.length;
  return mean;
}
