/** Definitions in an order in which each reads only those before it. */
import { quoted, refusal } from '../refusal.ts';
import type { Definition } from './model.ts';
import { parseFormula, type Tree } from './parse.ts';

export interface ParsedDefinition {
  readonly definition: Definition;
  readonly tree: Tree;
  /** Of the formula, in the pack. */
  readonly where: string;
}

/** Keeps the written order where it can. Throws `model_cycle` naming the symbols of a circle. */
export function orderDefinitions(definitions: readonly Definition[], where: string): readonly ParsedDefinition[] {
  const parsed = new Map<string, ParsedDefinition>();
  definitions.forEach((definition, i) => {
    const at = `${where}[${i}].formula`;
    parsed.set(definition.symbol, { definition, tree: parseFormula(definition.formula, at), where: at });
  });
  const ordered: ParsedDefinition[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (symbol: string): void => {
    const item = parsed.get(symbol);
    if (!item || done.has(symbol)) return;
    const begin = open.indexOf(symbol);
    if (begin >= 0) {
      const circle = [...open.slice(begin), symbol].map((name) => quoted(name)).join(' needs ');
      throw refusal('model_cycle', parsed.get(symbol)!.where, `${circle}, expected an order in which each can be computed.`);
    }
    open.push(symbol);
    for (const name of symbolsIn(item.tree)) visit(name);
    open.pop();
    done.add(symbol);
    ordered.push(item);
  };
  for (const { symbol } of definitions) visit(symbol);
  return ordered;
}

function symbolsIn(tree: Tree): readonly string[] {
  switch (tree.kind) {
    case 'symbol':
      return [tree.name];
    case 'unary':
      return symbolsIn(tree.argument);
    case 'binary':
      return [...symbolsIn(tree.left), ...symbolsIn(tree.right)];
    case 'call':
      return tree.args.flatMap(symbolsIn);
    default:
      return [];
  }
}
