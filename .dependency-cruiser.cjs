// The import table of docs/architecture.md: what each folder of src may use. `npm run check` prints a rule's comment when an
// import breaks it; tests/architecture/import-rules.test.ts shows for every rule that it does catch its case.

const below = ['domain', 'numerics', 'packs'];
const onEngine = [...below, 'engine/engine.ts'];
// The conditioning of a plan and the rounding of rollouts belong to the contract: a twin that multiplied a plan through the network
// in its own way would be fitted on other numbers than its futures are rolled out on.
// Timelines are the same for programs of `equations` packs, and simulation.ts is their contract.
const onContract = [
  ...onEngine,
  'engine/drive.ts',
  'engine/request.ts',
  'engine/simulation.ts',
  'engine/timeline.ts',
  'engine/lanes.ts',
  'engine/target-measure.ts',
];

// Two files that every worker needs: what it may not reach, and how it lets messages in. They know nothing of ours.
const forWorkers = ['life-lock.ts', 'lockdown.ts', 'yield.ts'];

/** Folder → what it may import besides itself, and why no more. */
const table = {
  guard: [forWorkers, 'The locks on the ways out run before everything else and in every scope: they wait for nothing of ours.'],
  domain: [[], 'The nouns are what everything else is written in, so they can stand on nothing of ours.'],
  numerics: [[], 'Mathematics that knows no medicine can be checked against theory and reused in any folder.'],
  packs: [['domain', 'numerics'], 'A pack is data. What runs it must not leak into its format.'],
  engine: [
    [...below, ...forWorkers],
    'An engine gets numbers and gives numbers: what a patient, a plan search or a screen is, it need not know.',
  ],
  twin: [onContract, 'Fitting may run an engine through its contract and must work with each of them alike.'],
  planning: [
    [...onContract, 'twin'],
    'The search asks for forecasts through the contract of an engine and fits twins again inside the future; it must work with each engine alike.',
  ],
  cohorts: [onContract, 'Synthetic patients are drawn through the contract of an engine, as real ones are forecast.'],
  molecules: [onEngine, 'Structures to drug parameters: a subject of its own beside twins and plans, not above them.'],
  imaging: [onEngine, 'Volumes to features: a subject of its own beside twins and plans, not above them.'],
  explain: [
    [...onContract, 'twin', 'planning', 'cohorts'],
    'It explains twins and plans, so it stands on both; nothing below may wait for an explanation.',
  ],
  trust: [
    [...onContract, 'twin', 'cohorts'],
    'It asks how far a twin and its forecasts may be believed; what makes them may not wait for the answer.',
  ],
  interop: [
    ['domain', ...forWorkers],
    'The only folder that knows foreign formats; it gives domain types, so that nobody else learns FHIR.',
  ],
  vault: [['domain', ...forWorkers], 'It stores sealed rows and must not learn what a forecast or a screen is.'],
  app: [
    [...below, 'engine', 'twin', 'planning', 'explain', 'trust', 'cohorts', 'molecules', 'imaging', 'interop', 'vault', 'guard'],
    'The session is tested by calling it, without a page: it knows no screen.',
  ],
  'ui/theme': [[], 'Colours and type, nothing else.'],
  'ui/components': [['domain', 'ui/theme'], 'Buttons and fields hold no medicine and no session; features bind them.'],
  'ui/charts': [
    ['domain', 'numerics', 'ui/components', 'ui/theme'],
    'Finished arrays in, SVG out: a chart that fetches or asks the session cannot be drawn alone in a test.',
  ],
  'ui/features': [
    ['app', 'domain', 'ui/charts', 'ui/components', 'ui/theme'],
    'A screen shows the session. What it needs from below it asks app/ for, so that the same job can be tested without a page.',
  ],
  'ui/gallery': [
    ['domain', 'numerics', 'ui/charts', 'ui/components', 'ui/theme'],
    'The gallery shows charts and components alone, with made-up arrays; what needs the session belongs to a screen.',
  ],
};

const tableRules = Object.entries(table).map(([folder, [allowed, comment]]) => ({
  name: `${folder.replace('/', '-')}-imports`,
  severity: 'error',
  comment: `${folder} may import ${allowed.length ? allowed.join(', ') : 'nothing of ours'}. ${comment}`,
  from: { path: `^src/${folder}/`, pathNot: '^src/engine/worker(\\.ts$|/)' },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}${name.endsWith('.ts') ? '$' : '/'}`) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...tableRules,
    {
      name: 'worker-imports',
      severity: 'error',
      comment:
        'engine/worker.ts and engine/worker/ are a composition root: they may import whatever computes, so that everything else need not. The page, its session and its storage are on the other side of the boundary.',
      from: { path: '^src/engine/worker(\\.ts$|/)' },
      to: { path: '^src/(ui|app|vault|interop|guard)/' },
    },
    {
      name: 'engines-are-chosen-in-one-place',
      severity: 'error',
      comment:
        'Only main.ts and engine/worker.ts with its folder know which implementation is which; everyone else sees engine/engine.ts, so that a new engine changes two places.',
      from: { path: '^src/', pathNot: ['^src/main\\.ts$', '^src/engine/worker(\\.ts$|/)', '^src/engine/(reference|gpu|cpu)/'] },
      to: { path: ['^src/engine/(reference|gpu|cpu)/', '^src/engine/worker(\\.ts$|/)'], pathNot: '\\.wasm$' },
    },
    {
      name: 'features-are-mounted-in-one-place',
      severity: 'error',
      comment:
        'Only main.ts and App.svelte mount screens. A piece that two screens share is a component, a chart or a state class in app/.',
      from: { path: '^src/', pathNot: ['^src/main\\.ts$', '^src/App\\.svelte$', '^src/ui/features/'] },
      to: { path: '^src/ui/features/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      comment: 'training, scripts, bench and tests may use src; src never uses them, or they would be shipped to every browser.',
      from: { path: '^src/' },
      to: { path: '^(training|scripts|bench|tests)/' },
    },
    {
      name: 'no-node-in-src',
      severity: 'error',
      comment: 'src runs in browsers, which have no Node modules. Take the file or the bytes as an argument.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'ship-only-dependencies',
      severity: 'error',
      comment:
        'What src imports is shipped, so it belongs under "dependencies", where licences and sizes are looked at (Svelte is compiled away).',
      from: { path: '^src/', pathNot: '\\.d\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/svelte/' },
    },
    {
      name: 'dexie-in-the-vault',
      severity: 'error',
      comment:
        'Only vault/ writes to storage: one place seals every row, so nothing clinical can be stored in the clear by mistake.',
      from: { path: '^src/', pathNot: '^src/vault/' },
      to: { path: 'node_modules/dexie/' },
    },
    {
      name: 'tensorflow-backends-in-the-engine',
      severity: 'error',
      comment:
        'There is one device, in one worker, lent to tfjs by engine/. A backend imported elsewhere would start a second one.',
      from: { path: '^src/', pathNot: '^src/engine/' },
      to: { path: 'node_modules/@tensorflow/tfjs-backend-' },
    },
    {
      name: 'tensorflow-off-the-page',
      severity: 'error',
      comment: 'Networks are run by engine/ and twin/, in the worker. Elsewhere the import would load tfjs into the page.',
      from: { path: '^src/', pathNot: '^src/(engine|twin)/' },
      to: { path: 'node_modules/@tensorflow/' },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Two files that need each other are one subject: join them, or move what both need below both.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The imported file does not exist, or its package is not in package.json.',
      from: {},
      // Built files and Vite's own addresses (?worker&url, ?raw) are no files yet.
      to: { couldNotResolve: true, pathNot: ['\\?', '\\.wasm', '^virtual:'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '^dist', '^build'] },
    exclude: { path: ['^src/engine/cpu/assembly/'] },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.json'],
      conditionNames: ['browser', 'import', 'svelte', 'default'],
      exportsFields: ['exports'],
    },
  },
};
