import type { RolloutRequest } from './engine.ts';
import { driveWidth } from './drive.ts';

/** What every engine checks before it starts: sizes that fit each other and numbers that are numbers. */
export function checkRequest(request: RolloutRequest): void {
  const { network, plans, steps, rollouts, groupsPerMember, starts, levels } = request;
  const { S, L, H, K, M } = network.shape;
  const groups = M * groupsPerMember;
  require(Number.isInteger(steps) && steps >= 1, `steps: found ${steps}, expected a whole number of at least 1.`);
  require(Number.isInteger(rollouts) &&
    rollouts > 0 &&
    rollouts % groups === 0, `rollouts: found ${rollouts}, expected a positive multiple of ${groups} (members × groups).`);
  require(starts.length ===
    rollouts * (S + L + H), `starts: found ${starts.length} numbers, expected ${rollouts * (S + L + H)}.`);
  require(plans.length >= 1, 'plans: found none, expected at least usual care.');
  plans.forEach((plan, p) => {
    const rows = M * steps * driveWidth(network.shape);
    require(plan.rows.length === rows, `plan ${p}: found ${plan.rows.length} drive values, expected ${rows}.`);
    require(plan.effectError.length ===
      steps * K, `plan ${p}: found ${plan.effectError.length} effect errors, expected ${steps * K}.`);
    require(allFinite(plan.rows) && allFinite(plan.effectError), `plan ${p}: a drive value is not a finite number.`);
  });
  require(allFinite(starts), 'starts: a starting state is not a finite number.');
  require(levels.every(
    (level, i) => level > 0 && level < 1 && (i === 0 || level > levels[i - 1]!),
  ), 'levels: expected ascending numbers inside (0, 1).');
}

export function allFinite(values: Float32Array | Float64Array): boolean {
  return values.every(Number.isFinite);
}

function require(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RangeError(`Rollout request: ${message}`);
}

/** The smallest allowed number of rollouts that is not below `wanted`. */
export function roundUpRollouts(wanted: number, members: number, groupsPerMember: number): number {
  const groups = members * groupsPerMember;
  return Math.max(1, Math.ceil(wanted / groups)) * groups;
}
