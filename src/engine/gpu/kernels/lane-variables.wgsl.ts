/**
 * The private variables of a simulation kernel, found as formulas ask for them: what does not change with the moment is computed once
 * a covariate row or once a segment, and a divisor of that kind is inverted once.
 */
import { invariant } from '#domain/errors.ts';
import type { Expr, Program, ReadExpr } from '#packs/equations/program.ts';
import { FormulaBlock, indent, isTruth, Levels, levels, literal } from './formulas.wgsl.ts';
import { effectColumn } from '../../simulation.ts';

/** Where formulas stand: among those of the covariate row, at the start of a segment, or at any instant of it. */
type Place = 'row' | 'segment' | 'instant';

interface Constant {
  readonly name: string;
  readonly expr: Expr;
  /** One divided by it. */
  readonly isInverse: boolean;
}

export class LaneVariables {
  readonly #program: Program;
  readonly #laneCovariates: readonly number[];
  readonly #algebra: readonly Expr[];
  readonly #levels: Levels;
  readonly #constants = new Map<Expr, string>();
  readonly #inverses = new Map<Expr, string>();
  /** One object for a slot, whoever made the node that reads it. */
  readonly #slots = new Map<string, ReadExpr>();
  readonly #ofRow: Constant[] = [];
  readonly #ofSegment: Constant[] = [];
  readonly #types = new Map<string, string>();
  #count = 0;
  #readsLanes = false;

  constructor(program: Program, laneCovariates: readonly number[]) {
    this.#program = program;
    this.#laneCovariates = laneCovariates;
    this.#algebra = program.algebra.map(({ value }) => value);
    this.#levels = new Levels(this.#algebra);
  }

  /** Whether a formula has asked for effects or covariates of lanes. */
  get readsLanes(): boolean {
    return this.#readsLanes;
  }

  get declarations(): string {
    return [...this.#types].map(([name, type]) => `var<private> ${name}: ${type};`).join('\n');
  }

  /** Declares a variable and gives its name. */
  declare(name: string, type = 'f32'): string {
    this.#types.set(name, type);
    return name;
  }

  has(name: string): boolean {
    return this.#types.has(name);
  }

  /** Formulas of a place; `prefix` keeps the names of two blocks of one function apart. */
  block(place: Place, prefix = 'v'): FormulaBlock {
    const isKnown = (expr: Expr): boolean => {
      const level = this.#levels.of(expr);
      if (level === levels.constant || place === 'row') return false;
      return level === levels.parameters || (level === levels.segment && place === 'instant');
    };
    const block: FormulaBlock = new FormulaBlock(
      {
        algebra: this.#algebra,
        read: (expr) => (place === 'row' ? this.#readInRow(expr, block) : this.#read(expr)),
        known: (expr) => (isKnown(expr) ? this.#constant(expr, this.#constants, false) : null),
        knownInverse: (expr) => {
          if (expr.op === 'number') return inverseLiteral(expr.value);
          return isKnown(expr) ? this.#constant(expr, this.#inverses, true) : null;
        },
      },
      prefix,
    );
    return block;
  }

  /** Assigns all that formulas of segments and instants asked for; with the lines of the block, to be asked last. */
  assignRow(block: FormulaBlock): string {
    return assign(block, this.#ofRow);
  }

  /** The same for what instants asked for; to be asked before the row's. */
  assignSegment(): string {
    return assign(this.block('segment'), this.#ofSegment);
  }

  #readInRow({ from, index }: ReadExpr, block: FormulaBlock): string {
    const { parameters, covariates } = this.#program;
    switch (from) {
      case 'parameter':
        return block.value(parameters[index].value);
      case 'covariate': {
        const column = this.#laneCovariates.indexOf(index);
        return column < 0 ? `tables[row + ${index}u]` : this.#laneColumn(`(sizes.laneCovariatesAt + ${column}u)`);
      }
      case 'hoisted':
        return `tables[row + ${covariates.length + index}u]`;
      case 'effect': {
        const { first, stride } = effectColumn(this.#program, index);
        return this.#laneColumn(stride > 0 ? `(${first}u + ${stride}u * occasion)` : `${first}u`);
      }
      default:
        invariant(false, 'a formula of the row reads nothing of the moment');
    }
  }

  #read(expr: ReadExpr): string {
    const { from, index } = expr;
    switch (from) {
      case 'parameter':
      case 'covariate':
      case 'hoisted':
      case 'effect':
        return this.#constant(expr, this.#constants, false);
      case 'memory':
      case 'rate':
      case 'control':
        return this.declare(`${from}${index}`);
      case 'previousRate':
        return `segments[segmentAt].previous${index}`;
      case 'segmentLength':
      case 'doseTime':
        return `segments[segmentAt].${from}`;
      case 'compartment':
        return `amount${index}At(t)`;
      case 'state':
        return `x${index}`;
      case 'noise':
        return `noise${index}`;
      case 'time':
        return 'begin + t';
      case 'algebra':
        invariant(false, 'blocks look through algebra');
    }
  }

  #laneColumn(column: string): string {
    this.#readsLanes = true;
    return `lanes[${column} * sizes.lanes + lane]`;
  }

  #constant(expr: Expr, names: Map<Expr, string>, isInverse: boolean): string {
    const key = expr.op === 'read' ? this.#slot(expr) : expr;
    const known = names.get(key);
    if (known !== undefined) return known;
    const isParameter = expr.op === 'read' && expr.from === 'parameter' && !isInverse;
    const name = this.declare(isParameter ? `p${expr.index}` : `h${this.#count++}`, isTruth(expr) ? 'bool' : 'f32');
    names.set(key, name);
    const list = this.#levels.of(expr) === levels.parameters ? this.#ofRow : this.#ofSegment;
    list.push({ name, expr: key, isInverse });
    return name;
  }

  #slot(expr: ReadExpr): ReadExpr {
    const key = `${expr.from} ${expr.index}`;
    const known = this.#slots.get(key) ?? expr;
    this.#slots.set(key, known);
    return known;
  }
}

function assign(block: FormulaBlock, constants: readonly Constant[]): string {
  const ends = constants.map(({ name, expr, isInverse }) => {
    const value = block.value(expr);
    return `${name} = ${isInverse ? `1f / ${value}` : value};`;
  });
  return indent([...block.lines, ...ends]);
}

function inverseLiteral(value: number): string | null {
  return value === 0 || !Number.isFinite(1 / value) ? null : literal(1 / value);
}
