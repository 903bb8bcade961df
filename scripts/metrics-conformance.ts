import { exactShapley } from '#explain/shapley.ts';
import { integrateGradients } from '#explain/integrated-gradients.ts';
import { defined, MetricInputError, type Estimate } from '#numerics/estimate.ts';
import { averagePrecision, brierScore, logLoss, netBenefit, rocAuc } from '#numerics/binary-scores.ts';
import {
  calibrationBins,
  calibrationError,
  hosmerLemeshow,
  integratedCalibrationIndex,
  logisticRecalibration,
  observedOverExpected,
  spiegelhalterTest,
} from '#numerics/calibration.ts';
import {
  averageEffect,
  counterfactualRmse,
  doublyRobustEffect,
  effectiveSampleSize,
  effectRmse,
  effectsOf,
  factualRmse,
  inverseWeights,
  policyValue,
  rankCorrelation,
  standardisedDifference,
  weightedEffect,
} from '#numerics/causal.ts';
import { harrellC, unoC } from '#numerics/concordance.ts';
import {
  adaptiveLevels,
  quantileRegressionScores,
  splitConformalQuantile,
  weightedConformalQuantile,
} from '#numerics/conformal.ts';
import { fitCox } from '#numerics/cox.ts';
import { groupDisparity, ratesByGroup } from '#numerics/group-rates.ts';
import { clopperPearsonInterval, wilsonInterval, type Interval } from '#numerics/intervals.ts';
import { ksUniform, sampleSd, scaledMad, skewness, sum } from '#numerics/moments.ts';
import {
  conformalP,
  covarianceMatrix,
  flagsBeyond,
  kthNeighbourDistance,
  mahalanobisSquared,
  meanVector,
  precisionMatrix,
} from '#numerics/ood.ts';
import {
  coverage,
  crpsEnsemble,
  crpsGaussian,
  energyScore,
  ensemblePit,
  ensembleWeightedIntervalScore,
  gaussianLogScore,
  intervalScore,
  meanWidth,
  pinballLoss,
  spreadSkill,
} from '#numerics/probabilistic.ts';
import { quantile, quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { chiSquareUpper, normalCdf } from '#numerics/special-functions.ts';
import { cumulativeAuc, dCalibration, integratedBrier, ipcwBrier, meanCumulativeAuc } from '#numerics/survival-scores.ts';
import { aalenJohansen, kaplanMeier, logRank, nelsonAalen, restrictedMean, survivalQuantile } from '#numerics/survival.ts';

/** One file of golden vectors (schema 1): inputs, and the outputs that our metric code must reproduce within `absTol`. */
export interface MetricFile {
  readonly schema: 1;
  readonly metricGroup: string;
  readonly cases: readonly MetricCase[];
}

interface MetricCase {
  readonly id: string;
  readonly metric?: string;
  // Each group has its own input; the adapters below are the only readers.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly input: any;
  readonly expected: unknown;
  readonly absTol?: number;
}

export interface MetricReport {
  readonly passed: number;
  readonly failed: number;
  /** Cases for which we have no code yet; neither passed nor failed, but named in `messages`. */
  readonly notCovered: number;
  readonly messages: string[];
}

/** A value, or `null` where it is not defined: the form of the golden files. */
const valueOf = <T>(estimate: Estimate<T>): T | null => (estimate.defined ? estimate.value : null);

/** One part of a compound result, or `null` where that is not defined. */
const part = <T, V>(estimate: Estimate<T>, pick: (value: T) => V): V | null => (estimate.defined ? pick(estimate.value) : null);

/** The keys that a case expects under `name`: levels and thresholds are data of the case. */
function expectedKeys(test: MetricCase, name: string): string[] {
  return Object.keys((test.expected as Record<string, object | undefined>)[name] ?? {});
}

const pair = (interval: Interval | null): number[] | null => interval && [interval.lower, interval.upper];

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Adapter = (input: any, test: MetricCase) => unknown;

const harrellCase: Adapter = ({ time, event, risk }) => {
  const c = harrellC(time, event, risk);
  return c.defined ? { ...c.value, seR: c.value.standardError } : { cIndex: null, seR: null };
};

const survivalTestsCase: Adapter = ({ time, event, group, x }) => {
  const test = logRank(time, event, group);
  const rows = (x as number[]).map((value, i) => [value, group[i]]);
  const cox = (ties: 'efron' | 'breslow'): unknown => {
    const fit = fitCox(time, event, rows, { ties });
    return {
      beta: part(fit, (f) => f.coefficients),
      se: part(fit, (f) => f.standardErrors),
      loglikNullAndFit: part(fit, (f) => [f.logLikelihoodNull, f.logLikelihood]),
    };
  };
  return {
    logrankChisq: part(test, (t) => t.chiSquare),
    p: part(test, (t) => t.p),
    observed: part(test, (t) => t.observed),
    expected: part(test, (t) => t.expected),
    coxEfron: cox('efron'),
    coxBreslow: cox('breslow'),
  };
};

const kaplanMeierCase: Adapter = ({ time, event, rmstTau }) => {
  const estimate = kaplanMeier(time, event);
  if (!estimate.defined) return estimate;
  const km = estimate.value;
  const mean = restrictedMean(km, rmstTau);
  return {
    ...km,
    greenwoodSe: km.standardError,
    loglogLower95: km.lower,
    loglogUpper95: km.upper,
    nelsonAalen: part(nelsonAalen(time, event), (curve) => curve.value),
    quantileTimes25_50_75: [0.25, 0.5, 0.75].map((level) => valueOf(survivalQuantile(km, level))),
    rmst: part(mean, (m) => m.rmst),
    rmstSe: part(mean, (m) => m.standardError),
  };
};

const aalenJohansenCase: Adapter = ({ time, cause }) => {
  const curve = aalenJohansen(time, cause);
  return {
    time: part(curve, (c) => c.time),
    eventFree: part(curve, (c) => c.eventFree),
    cif1: part(curve, (c) => c.cumulativeIncidence[0]),
    cif2: part(curve, (c) => c.cumulativeIncidence[1]),
  };
};

const binaryCalibrationCase: Adapter = ({ y, p }, test) => {
  const error = calibrationError(y, p);
  const recalibration = logisticRecalibration(y, p);
  const index = integratedCalibrationIndex(y, p);
  const spiegelhalter = spiegelhalterTest(y, p);
  const roc = rocAuc(y, p);
  return {
    brier: valueOf(brierScore(y, p)),
    logLoss: valueOf(logLoss(y, p)),
    ece10: part(error, (e) => e.expected),
    mce10: part(error, (e) => e.maximum),
    binTable_n_meanP_meanY: calibrationBins(y, p).map((bin) => [bin.n, bin.meanPredicted, bin.meanObserved]),
    calibrationSlope: part(recalibration, (r) => r.slope),
    interceptWithSlope: part(recalibration, (r) => r.intercept),
    calibrationInTheLarge: part(recalibration, (r) => r.inTheLarge),
    oeRatio: valueOf(observedOverExpected(y, p)),
    ici: part(index, (i) => i.ici),
    e50: part(index, (i) => i.e50),
    e90: part(index, (i) => i.e90),
    emax: part(index, (i) => i.eMax),
    spiegelhalterZ: part(spiegelhalter, (t) => t.z),
    spiegelhalterP: part(spiegelhalter, (t) => t.p),
    hosmerLemeshow5: part(hosmerLemeshow(y, p, 5), (t) => t.chiSquare),
    auc: part(roc, (r) => r.auc),
    aucDelongCi95: part(roc, (r) => pair(r.interval)),
    aucDelongVar: part(roc, (r) => r.variance),
    averagePrecision: valueOf(averagePrecision(y, p)),
    netBenefit: Object.fromEntries(
      expectedKeys(test, 'netBenefit').map((threshold) => [
        threshold,
        part(netBenefit(y, p, Number(threshold)), (b) => ({ ...b, tp: b.truePositives, fp: b.falsePositives })),
      ]),
    ),
  };
};

const probabilisticCase: Adapter = ({ y, gaussianMu, gaussianSigma, ensemble, quantileLevels }) => {
  const targets = y as number[];
  const members = ensemble as number[][];
  const mu = gaussianMu as number[];
  const sigma = gaussianSigma as number[];
  const levels = quantileLevels as number[];
  const quantileTable = members.map((row) => levels.map((level) => quantileOfSorted(sorted(row), level)));
  const lower = quantileTable.map((row) => row[0]!);
  const upper = quantileTable.map((row) => row.at(-1)!);
  return {
    crpsGaussian: targets.map((t, i) => crpsGaussian(t, mu[i]!, sigma[i]!)),
    crpsEnsemble: targets.map((t, i) => valueOf(crpsEnsemble(t, members[i]!))),
    crpsEnsembleFair: targets.map((t, i) => valueOf(crpsEnsemble(t, members[i]!, 'fair'))),
    ensembleQuantilesType7: quantileTable,
    pinball: targets.map((t, i) => levels.map((level, k) => pinballLoss(t, quantileTable[i]![k]!, level))),
    intervalScore90: targets.map((t, i) => intervalScore(t, lower[i]!, upper[i]!, 0.9)),
    weightedIntervalScore: targets.map((t, i) => valueOf(ensembleWeightedIntervalScore(t, members[i]!))),
    pitLowerUpper: targets.map((t, i) => pair(valueOf(ensemblePit(t, members[i]!)))),
    coverage90: valueOf(coverage(targets, lower, upper)),
    meanWidth90: valueOf(meanWidth(lower, upper)),
    gaussianLogScore: targets.map((t, i) => gaussianLogScore(t, mu[i]!, sigma[i]!)),
    energyScoreAsVector: valueOf(
      energyScore(
        targets,
        members[0]!.map((_, k) => members.map((row) => row[k]!)),
      ),
    ),
    spreadSkill: valueOf(spreadSkill(targets, members)),
  };
};

const statisticsCase: Adapter = ({ x, success, trials }, test) => ({
  type7: Object.fromEntries(expectedKeys(test, 'type7').map((level) => [level, valueOf(quantile(x, Number(level)))])),
  sampleSd: valueOf(sampleSd(x)),
  skewPopulation: valueOf(skewness(x)),
  madScaled: valueOf(scaledMad(x)),
  wilson95: pair(valueOf(wilsonInterval(success, trials))),
  clopperPearson95: pair(valueOf(clopperPearsonInterval(success, trials))),
  ksUniformStatOfPhi: valueOf(ksUniform((x as number[]).map(normalCdf))),
});

const brierAndAucCase: Adapter = ({ time, event, times, survivalProb, risk }) => ({
  brier: (times as number[]).map((t, k) =>
    valueOf(
      ipcwBrier(
        time,
        event,
        (survivalProb as number[][]).map((row) => row[k]!),
        t,
      ),
    ),
  ),
  integratedBrier: valueOf(integratedBrier(time, event, survivalProb, times)),
  auc: (times as number[]).map((t) => valueOf(cumulativeAuc(time, event, risk, t))),
  meanAuc: valueOf(meanCumulativeAuc(time, event, risk, times)),
});

const dCalibrationCase: Adapter = ({ survivalAtObservedTime, event, bins }) => {
  const result = dCalibration(survivalAtObservedTime, event, bins);
  return {
    counts: part(result, (r) => r.counts),
    chisq: part(result, (r) => r.chiSquare),
    p: part(result, (r) => r.p),
  };
};

const conformalCase: Adapter = (input, test) => {
  const { lower, upper, y } = input as { lower: number[]; upper: number[]; y: number[] };
  const cqrScores = quantileRegressionScores(y, lower, upper);
  const width = valueOf(meanWidth(lower, upper));
  const covered = valueOf(coverage(y, lower, upper));
  const range = Math.max(...y) - Math.min(...y);
  return {
    splitQuantileByAlpha: Object.fromEntries(
      expectedKeys(test, 'splitQuantileByAlpha').map((a) => [a, splitConformalQuantile(input.absResiduals, Number(a))]),
    ),
    cqrScores,
    cqrQuantileAlpha0_1: splitConformalQuantile(cqrScores, 0.1),
    weightedQuantileAlpha0_1: weightedConformalQuantile(input.absResiduals, input.weights, input.testWeight, 0.1),
    aciAlphaTrace: adaptiveLevels(input.aciErrors, input.aciTarget, input.aciGamma),
    coverage: covered,
    meanWidth: width,
    // Coverage-width criterion as in MAPIE: (1 − width / range of y) · exp(−η (coverage − (1 − α))²).
    cwcEta0_01Alpha0_9: (1 - width! / range) * Math.exp(-0.01 * (covered! - 0.9) ** 2),
    winklerMean90: sum(y.map((value, i) => intervalScore(value, lower[i]!, upper[i]!, 0.9))) / y.length,
  };
};

const fairnessCase: Adapter = ({ yTrue, yPred, group }) => {
  const rates = ratesByGroup(yTrue, yPred, group);
  const byGroup = [...rates].map(([label, r]) => [
    label,
    {
      n: r.n,
      selectionRate: valueOf(r.selectionRate),
      tpr: valueOf(r.truePositiveRate),
      fpr: valueOf(r.falsePositiveRate),
      fnr: valueOf(r.falseNegativeRate),
      ppv: valueOf(r.positivePredictiveValue),
      accuracy: valueOf(r.accuracy),
    },
  ]);
  // `compare` opens the ratios, which may themselves be not defined.
  return { byGroup: Object.fromEntries(byGroup), ...valueOf(groupDisparity(rates)) };
};

const causalCase: Adapter = ({ x, treated, mu0, mu1, hat0, hat1, yFactual, propensity }) => {
  const [truth, estimated] = [
    { untreated: mu0, treated: mu1 },
    { untreated: hat0, treated: hat1 },
  ];
  const [ate, found] = [valueOf(averageEffect(truth))!, valueOf(averageEffect(estimated))!];
  const weights = inverseWeights(treated, propensity);
  return {
    pehe: effectRmse(estimated, truth),
    ateError: Math.abs(found - ate),
    ate,
    factualRmse: factualRmse(estimated, treated, yFactual),
    counterfactualRmse: counterfactualRmse(estimated, truth, treated),
    hajekIpwAte: weightedEffect(yFactual, treated, propensity),
    aipwAte: doublyRobustEffect(yFactual, treated, propensity, estimated),
    smdUnweighted: standardisedDifference(x, treated),
    smdWeighted: standardisedDifference(x, treated, weights),
    effectiveSampleSizeTreated: effectiveSampleSize(weights.filter((_, i) => (treated as number[])[i] === 1)),
    policyValueTrue: policyValue(estimated, truth),
    iteSpearman: rankCorrelation(effectsOf(estimated), effectsOf(truth)),
  };
};

const distanceCase: Adapter = (input) => {
  const { train, query } = input as { train: number[][]; query: number[][] };
  const mean = meanVector(train);
  const covariance = covarianceMatrix(train, mean);
  const precision = precisionMatrix(covariance)!;
  const distances = (rows: number[][]) => rows.map((row) => mahalanobisSquared(row, mean, precision));
  const [own, reference] = [distances(query), distances(train)];
  const roc = rocAuc([...own.map(() => 1), ...reference.map(() => 0)], [...own, ...reference]);
  return {
    mean,
    covariance,
    mahalanobisSquared: own,
    chi2P: own.map((distance) => chiSquareUpper(distance, mean.length)),
    aurocVsTrain: part(roc, (r) => r.auc),
    trainQuantile95: quantile(reference, 0.95),
    flagged: flagsBeyond(own, reference),
    conformalP: own.map((distance) => conformalP(distance, reference)),
    knn5Distance: query.map((row) => kthNeighbourDistance(row, train, 5)),
  };
};

/** Coalitions are named by the places of their members, "02" for the first and the third. */
const attributionCase: Adapter = async (input) => {
  const { coalitionValues, logisticWeights, x, baseline, steps } = input as {
    coalitionValues: Record<string, number>;
    logisticWeights: number[];
    x: number[];
    baseline: number[];
    steps: number;
  };
  const players = Math.log2(Object.keys(coalitionValues).length);
  const values = new Map(
    Object.entries(coalitionValues).map(([members, value]) => [
      [...members].reduce((coalition, member) => coalition | (1 << Number(member)), 0),
      Float64Array.of(value),
    ]),
  );
  const shapley = exactShapley(players, values).map((own) => own[0]!);
  const at = (point: Float64Array) => {
    const value = 1 / (1 + Math.exp(-point.reduce((total, own, i) => total + own * logisticWeights[i]!, 0)));
    return { values: Float64Array.of(value), gradient: Float64Array.from(logisticWeights, (w) => value * (1 - value) * w) };
  };
  const options = { firstSteps: steps, mostSteps: steps, gap: 0 };
  const found = await integrateGradients(at, Float64Array.from(x), Float64Array.from(baseline), options);
  const change = found.full[0]! - found.base[0]!;
  return {
    shapley,
    shapleySum: sum(shapley),
    integratedGradients: [...found.contributions],
    completenessTarget: change,
    completenessGap: Math.abs(sum(found.contributions) - change),
  };
};

const edgeCases: Readonly<Record<string, Adapter>> = {
  harrell: ({ time, event, risk }) => {
    const c = harrellC(time, event, risk);
    return c.defined ? defined(c.value.cIndex) : c;
  },
  rocAuc: ({ y, p }) => {
    const roc = rocAuc(y, p);
    return roc.defined ? defined(roc.value.auc) : roc;
  },
  brier: ({ y, p }) => brierScore(y, p),
  ece10: ({ y, p }) => {
    const error = calibrationError(y, p);
    return error.defined ? defined(error.value.expected) : error;
  },
  splitQuantile: ({ absResiduals, alpha }) => splitConformalQuantile(absResiduals, alpha),
  // The case is given in words: synthetic rows equal to the training rows, holdout all different. An attacker scores a person
  // by the distance to the nearest synthetic row, which is then 0 for members and not for the others.
  membershipAucNearestDistance: () => {
    const roc = rocAuc([1, 1, 1, 0, 0], [0, 0, 0, -0.4, -1.3]);
    return roc.defined ? defined(roc.value.auc) : roc;
  },
  tprByGroup: ({ yTrue, yPred, group }) =>
    Object.fromEntries([...ratesByGroup(yTrue, yPred, group)].map(([label, r]) => [label, r.truePositiveRate])),
};

function adapterFor(group: string, test: MetricCase): Adapter | undefined {
  switch (group) {
    case 'edge-cases':
      return edgeCases[test.metric ?? ''];
    case 'statistics-basics':
      return statisticsCase;
    case 'probabilistic-forecast':
      return probabilisticCase;
    case 'binary-calibration':
      return binaryCalibrationCase;
    case 'survival-brier-auc':
      return brierAndAucCase;
    case 'survival-concordance':
      return test.id.startsWith('uno')
        ? ({ time, event, risk, tau }) => ({ cIndex: valueOf(unoC(time, event, risk, tau ?? Infinity)) })
        : harrellCase;
    case 'survival-dcalibration':
      return dCalibrationCase;
    case 'survival-km':
      return 'cause' in test.input ? aalenJohansenCase : kaplanMeierCase;
    case 'survival-tests':
      return survivalTestsCase;
    case 'conformal':
      return conformalCase;
    case 'fairness':
      return fairnessCase;
    case 'causal':
      return causalCase;
    case 'ood':
      return distanceCase;
    case 'attribution':
      return attributionCase;
    default:
      return undefined;
  }
}

// The notes of survival-concordance.json give this tolerance to R's standard error alone.
const toleranceByKey: Readonly<Record<string, number>> = { seR: 1e-6 };

const isEstimate = (value: unknown): value is Estimate<unknown> =>
  typeof value === 'object' && value !== null && 'defined' in value;

/** Appends one line to `out` for each expected number that `actual` misses. */
function compare(actual: unknown, expected: unknown, tolerance: number, path: string, out: string[]): void {
  const estimate = isEstimate(actual) ? actual : null;
  if (estimate?.defined) {
    compare(estimate.value, expected, tolerance, path, out);
    return;
  }
  const isUndefined = actual === null || estimate !== null;
  if (expected === null || expected === 'NA' || expected === 'undefined') {
    if (!isUndefined) out.push(`${path}: expected not defined, found ${JSON.stringify(actual)}`);
  } else if (expected === 'Infinity') {
    if (actual !== Infinity) out.push(`${path}: expected Infinity, found ${JSON.stringify(actual)}`);
  } else if (typeof expected === 'number') {
    if (typeof actual !== 'number' || !(Math.abs(actual - expected) <= tolerance)) {
      out.push(`${path}: expected ${expected} ± ${tolerance}, found ${JSON.stringify(actual)}`);
    }
  } else if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      out.push(`${path}: expected ${expected.length} values, found ${JSON.stringify(actual)}`);
    } else expected.forEach((value, i) => compare(actual[i], value, tolerance, `${path}[${i}]`, out));
  } else if (typeof expected === 'object') {
    for (const [key, value] of Object.entries(expected)) {
      const found = isUndefined ? undefined : (actual as Record<string, unknown>)[key];
      compare(found, value, Math.max(tolerance, toleranceByKey[key] ?? 0), `${path}.${key}`, out);
    }
  } else if (actual !== expected) out.push(`${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
}

async function failuresOf(adapter: Adapter, test: MetricCase, name: string): Promise<string[]> {
  let actual: unknown;
  try {
    actual = await adapter(test.input, test);
  } catch (error) {
    if (test.expected === 'error' && error instanceof MetricInputError) return [];
    return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
  }
  if (test.expected === 'error') return [`${name}: expected a MetricInputError, found ${JSON.stringify(actual)}`];
  const out: string[] = [];
  // edge-cases.json gives no tolerance: its numbers are exact.
  compare(actual, test.expected, test.absTol ?? 1e-12, name, out);
  return out;
}

/** Runs every case of a file of golden metric vectors. Never throws on a wrong number; `messages` names each. */
export async function runMetricCases(file: MetricFile): Promise<MetricReport> {
  const messages: string[] = [];
  let passed = 0;
  let failed = 0;
  let notCovered = 0;
  for (const test of file.cases) {
    const name = `${file.metricGroup}/${test.id}`;
    const adapter = adapterFor(file.metricGroup, test);
    if (adapter === undefined) {
      notCovered++;
      messages.push(`${name}: not covered`);
      continue;
    }
    const failures = await failuresOf(adapter, test, name);
    if (failures.length === 0) passed++;
    else failed++;
    messages.push(...failures);
  }
  return { passed, failed, notCovered, messages };
}
