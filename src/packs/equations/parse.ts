/**
 * Text of a formula to an untyped tree, by operator precedence (Pratt 1973). Knows no symbols and no units; a formula comes from a
 * stranger, so length, depth and characters are bounded before anything is built.
 *
 * From loosest to tightest: or · and · not · comparisons (not chained) · + − · * / · unary − · ^ (to the right).
 */
import { quoted, refusal } from '../refusal.ts';

/** `column` counts from 1. */
export type Tree =
  | { readonly kind: 'number'; readonly value: number; readonly column: number }
  | { readonly kind: 'text'; readonly value: string; readonly column: number }
  | { readonly kind: 'symbol'; readonly name: string; readonly column: number }
  | { readonly kind: 'unary'; readonly op: UnaryOperator; readonly argument: Tree; readonly column: number }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOperator;
      readonly left: Tree;
      readonly right: Tree;
      readonly column: number;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Tree[]; readonly column: number };

export type UnaryOperator = '-' | 'not';
export type BinaryOperator = '+' | '-' | '*' | '/' | '^' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

export const maxFormulaLength = 4000;
/** Of the tree: far beyond any published formula, far below what recursion can follow. */
const maxDepth = 200;

type Token =
  | { readonly kind: 'number' | 'text' | 'word' | 'sign'; readonly text: string; readonly column: number }
  | { readonly kind: 'end'; readonly text: ''; readonly column: number };

/** How tightly an operator holds what stands left and right of it. */
const binding: ReadonlyMap<string, readonly [left: number, right: number]> = new Map([
  ['or', [1, 2]],
  ['and', [3, 4]],
  ['<', [7, 8]],
  ['<=', [7, 8]],
  ['>', [7, 8]],
  ['>=', [7, 8]],
  ['==', [7, 8]],
  ['!=', [7, 8]],
  ['+', [9, 10]],
  ['-', [9, 10]],
  ['*', [11, 12]],
  ['/', [11, 12]],
  ['^', [16, 15]],
]);
const notBinding = 5;
const comparisonBinding = 7;
const minusBinding = 13;

/** Throws `model_formula_invalid` naming `where`, the column, what was found and what was expected. */
export function parseFormula(text: string, where: string): Tree {
  if (text.length > maxFormulaLength) {
    throw refusal(
      'model_formula_invalid',
      where,
      `the formula has ${text.length} characters, expected at most ${maxFormulaLength}.`,
    );
  }
  return new Parser(tokensOf(text, where), where).read();
}

function tokensOf(text: string, where: string): readonly Token[] {
  // Every alternative is linear in the text and none overlaps another.
  const pattern =
    /(?<space>[ \t\r\n]+)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z][A-Za-z0-9_]*)|'(?<text>[^'\n]*)'|(?<sign><=|>=|==|!=|[-+*/^<>(),])/y;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.length) {
    const column = pattern.lastIndex + 1;
    const groups = pattern.exec(text)?.groups;
    if (!groups) {
      const found = quoted(String.fromCodePoint(text.codePointAt(column - 1)!));
      throw refusal('model_formula_invalid', `${where}, column ${column}`, `found ${found}, ${hint(text[column - 1]!)}.`);
    }
    const kind = (['number', 'word', 'text', 'sign'] as const).find((name) => groups[name] !== undefined);
    if (kind) tokens.push({ kind, text: groups[kind]!, column });
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 });
  return tokens;
}

function hint(character: string): string {
  if (character === "'") return "expected a closing ' on the same line";
  if (character === '=') return 'expected == for a comparison';
  if (character === '"') return "expected ' around a text";
  if (character === '.') return 'expected a digit before the point';
  if (character === '&' || character === '|') return "expected the word 'and' or 'or'";
  if (character === '_') return 'expected a name that begins with a letter';
  return 'expected letters a to z, digits, operators or brackets';
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #where: string;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], where: string) {
    this.#tokens = tokens;
    this.#where = where;
  }

  read(): Tree {
    const tree = this.#expression(0);
    if (this.#next.kind !== 'end') this.#refuse('an operator or the end of the formula');
    if (depthOf(tree) > maxDepth) {
      throw refusal('model_formula_invalid', this.#where, `the formula is nested more than ${maxDepth} deep.`);
    }
    return tree;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #refuse(expected: string): never {
    const { kind, text, column } = this.#next;
    const found = kind === 'end' ? 'the end of the formula' : quoted(text);
    throw refusal('model_formula_invalid', `${this.#where}, column ${column}`, `found ${found}, expected ${expected}.`);
  }

  #expression(tightness: number): Tree {
    this.#depth += 1;
    if (this.#depth > maxDepth) {
      throw refusal(
        'model_formula_invalid',
        `${this.#where}, column ${this.#next.column}`,
        `the formula is nested more than ${maxDepth} deep.`,
      );
    }
    let left = this.#operand();
    for (;;) {
      const { kind, text, column } = this.#next;
      const sides = kind === 'sign' || kind === 'word' ? binding.get(text) : undefined;
      if (!sides || sides[0] < tightness) break;
      this.#at += 1;
      left = { kind: 'binary', op: text as BinaryOperator, left, right: this.#expression(sides[1]), column };
      if (
        sides[0] === comparisonBinding &&
        binding.get(this.#next.text)?.[0] === comparisonBinding &&
        this.#next.kind === 'sign'
      ) {
        this.#refuse("'and' between two comparisons");
      }
    }
    this.#depth -= 1;
    return left;
  }

  #operand(): Tree {
    const { kind, text, column } = this.#next;
    if (kind === 'end') this.#refuse('a number, a symbol or a function');
    this.#at += 1;
    if (kind === 'number') return { kind: 'number', value: this.#number(text, column), column };
    if (kind === 'text') return { kind: 'text', value: text, column };
    if (kind === 'sign') {
      if (text === '-') return { kind: 'unary', op: '-', argument: this.#expression(minusBinding), column };
      if (text === '(') {
        const inner = this.#expression(0);
        this.#expect(')');
        return inner;
      }
    } else if (text === 'not') return { kind: 'unary', op: 'not', argument: this.#expression(notBinding), column };
    else if (text !== 'and' && text !== 'or') {
      if (this.#next.kind !== 'sign' || this.#next.text !== '(') return { kind: 'symbol', name: text, column };
      return { kind: 'call', name: text, args: this.#arguments(), column };
    }
    this.#at -= 1;
    return this.#refuse('a number, a symbol or a function');
  }

  #number(text: string, column: number): number {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw refusal('model_formula_invalid', `${this.#where}, column ${column}`, `the number ${quoted(text)} is too large.`);
  }

  #arguments(): readonly Tree[] {
    this.#expect('(');
    const args = [this.#expression(0)];
    while (this.#next.kind === 'sign' && this.#next.text === ',') {
      this.#at += 1;
      args.push(this.#expression(0));
    }
    this.#expect(')');
    return args;
  }

  #expect(sign: string): void {
    if (this.#next.kind !== 'sign' || this.#next.text !== sign) this.#refuse(quoted(sign));
    this.#at += 1;
  }
}

/** A chain a + b + c … is as deep as it is long, without any nesting of the parser. */
function depthOf(tree: Tree): number {
  let deepest = 0;
  const open: (readonly [Tree, number])[] = [[tree, 1]];
  for (let item = open.pop(); item; item = open.pop()) {
    const [node, depth] = item;
    deepest = Math.max(deepest, depth);
    for (const child of childrenOf(node)) open.push([child, depth + 1]);
  }
  return deepest;
}

function childrenOf(tree: Tree): readonly Tree[] {
  if (tree.kind === 'unary') return [tree.argument];
  if (tree.kind === 'binary') return [tree.left, tree.right];
  return tree.kind === 'call' ? tree.args : [];
}
