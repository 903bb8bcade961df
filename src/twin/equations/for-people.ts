import type { Program } from '#packs/equations/program.ts';

/**
 * Relative error of a step, for people. Packs ask for more, so that they agree with published cases to six digits; but draws of one
 * person differ in the second digit, and levels are measured to the second. At 1e-6 every draw agrees to
 * four digits, in a quarter of the time where steps are stiff.
 */
const relativeTolerance = 1e-6;

// One a program, so that engines compile it once.
const eased = new WeakMap<Program, Program>();

/** The same program with no more steps than people need; golden cases are asked of the program as it is. */
export function forPeople(program: Program): Program {
  const { stepper } = program;
  if (!('relativeTolerance' in stepper) || stepper.relativeTolerance >= relativeTolerance) return program;
  const known = eased.get(program);
  if (known) return known;
  const factor = relativeTolerance / stepper.relativeTolerance;
  const own = { ...program, stepper: { ...stepper, relativeTolerance, absoluteTolerance: stepper.absoluteTolerance * factor } };
  eased.set(program, own);
  return own;
}
