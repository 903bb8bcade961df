/** The tables of a card that are made from the models themselves, so that nobody types a parameter twice. */
import type { EquationsModel, ErrorModel } from '#packs/equations/model.ts';

/** In a card, `{{parameters ID}}` becomes the tables of the model with that id. Throws where there is no such model. */
export function fillModelTables(card: string, models: readonly EquationsModel[]): string {
  return card.replace(/\{\{parameters ([a-z0-9-]+)\}\}/g, (_, id: string) => {
    const model = models.find((one) => one.id === id);
    if (!model) throw new Error(`The card asks for the parameters of ${id}, which is no model of the pack.`);
    return modelTables(model);
  });
}

function modelTables(model: EquationsModel): string {
  const { constants, tables = [], effects = [], correlations = [], states = [], inputs = [], observations } = model;
  const parts = [
    table(
      ['constant', 'value', 'unit', 'what it is'],
      constants.map(({ symbol, value, unit, label, source }) => [
        code(symbol),
        digits(value),
        unit,
        source === undefined ? label : `${label} (${source})`,
      ]),
    ),
  ];
  for (const { symbol, by, values, unit, label } of tables) {
    const entries = Object.entries(values).map(([value, number]) => `${code(value)} ${digits(number)}`);
    parts.push(`Table ${code(symbol)} by ${code(by)}, unit ${unit} (${label}): ${entries.join(', ')}.`);
  }
  if (effects.length > 0) {
    parts.push(
      table(
        ['random effect', 'variance', 'sd', 'what it is'],
        effects.map(({ symbol, variance, label, per }) => [
          code(symbol),
          digits(variance),
          digits(Math.sqrt(variance)),
          per === 'occasion' ? `${label}; new on each occasion` : label,
        ]),
      ),
    );
  }
  if (correlations.length > 0) {
    const pairs = correlations.map(({ between: [a, b], value }) => `${code(a)} with ${code(b)} ${digits(value)}`);
    parts.push(`Correlations: ${pairs.join(', ')}; all others 0.`);
  }
  const definitions = [...model.parameters, ...(model.algebra ?? []), ...model.readouts];
  parts.push(
    table(
      ['quantity', 'unit', 'formula'],
      definitions.map(({ symbol, unit, formula }) => [code(symbol), unit, code(formula)]),
    ),
  );
  if (states.length > 0) {
    parts.push(
      table(
        ['state', 'unit', 'at the start', states.some(({ next }) => next !== undefined) ? 'one step later' : 'rate of change'],
        states.map(({ symbol, unit, initial, derivative, next }) => [
          code(symbol),
          unit,
          code(initial),
          code(next ?? derivative ?? '0'),
        ]),
      ),
    );
  }
  for (const { symbol, into, unit, bioavailability = '1', lag = '0' } of inputs) {
    parts.push(`Doses ${code(symbol)} in ${unit} go into ${code(into)}: bioavailability ${code(bioavailability)}, lag ${code(lag)}.`);
  }
  parts.push(
    table(
      ['marker', 'read-out', 'measurement error'],
      observations.map(({ marker, readout, error }) => [marker, code(readout), errorText(error)]),
    ),
  );
  return parts.join('\n\n');
}

function errorText(error: ErrorModel): string {
  switch (error.kind) {
    case 'additive':
      return `sd ${digits(error.sd)}`;
    case 'proportional':
      return `sd ${digits(error.fraction)} of the value`;
    case 'combined':
      return `sd ${digits(error.sd)} and ${digits(error.fraction)} of the value`;
    case 'log':
      return `sd ${digits(error.sd)} of the logarithm`;
    case 'beta':
      return `beta with precision ${digits(error.precision)} on 0 to ${digits(error.maximum)}`;
    case 'transition':
      return `sd ${digits(error.fraction)} of the value before, times the square root of the steps`;
    default:
      return error satisfies never;
  }
}

const code = (text: string): string => `\`${text}\``;

/** Six digits tell any published estimate from its neighbour. */
const digits = (value: number): string => String(Number(value.toPrecision(6)));

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
