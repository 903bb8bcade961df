import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// oxlint runs first and finds the ordinary mistakes. Here stand the rules it has not: Svelte templates, and our own. No type
// information is asked for (it multiplies the time by ten); the three type checks have it.

const noChance = {
  object: 'Math',
  property: 'random',
  message: 'A run must repeat byte for byte. Take a `random` argument (#numerics/random.ts).',
};
const noClock = {
  object: 'Date',
  property: 'now',
  message: 'A result must not depend on when it was made. Take a `now` argument.',
};
const noNewDate = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'A result must not depend on when it was made. Take a `now` argument.',
};
const noEnum = {
  selector: 'TSEnumDeclaration',
  message: 'Write an `as const` object and a union of its values: an enum is code at run time.',
};
const noHtml = {
  selector: 'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML|srcdoc)$/]',
  message: 'Trusted Types refuse text as HTML. Let Svelte draw it, or set textContent.',
};
const noStyleText = {
  selector: "SvelteAttribute[key.name='style']",
  message: 'The policy blocks style="…" in a template. Use a class, or style:property={value}.',
};
const noStyleAttribute = {
  selector: "CallExpression[callee.property.name='attr'][arguments.0.value='style']",
  message: 'The policy blocks style attributes set as text. Use .style(name, value).',
};

export default tseslint.config(
  {
    ignores: ['dist', 'build', 'coverage', 'test-results', 'playwright-report', 'models', 'src/engine/cpu/assembly', '**/*.d.ts'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: ['**/*.ts', '**/*.svelte', '**/*.js', '**/*.mjs'], extends: [tseslint.configs.base] },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      'svelte/button-has-type': 'error',
      // It also means maps that only keep count and are nobody's state.
      'svelte/prefer-svelte-reactivity': 'off',
      // It reads the reason after the rule's name as more names.
      'svelte/no-unused-svelte-ignore': 'off',
      // Hash routes of a single page: there is no base path to resolve.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.ts', '**/*.svelte', '**/*.mjs', '**/*.js'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', noEnum, noHtml, noStyleText, noStyleAttribute],
    },
  },
  {
    files: ['src/**'],
    // The message of an error a person can mend is on the screen; patient data must not end up in a console.
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/{domain,numerics,packs,engine,twin,planning,explain,cohorts,molecules,imaging}/**'],
    rules: {
      'no-restricted-properties': ['error', noChance, noClock],
      'no-restricted-syntax': ['error', noEnum, noHtml, noStyleText, noStyleAttribute, noNewDate],
    },
  },
  {
    files: ['src/{domain,numerics,packs,twin,engine,interop,app}/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['document', 'window', 'localStorage', 'sessionStorage', 'location', 'history'].map((name) => ({
          name,
          message: 'This folder knows no page. Take what you need as an argument; ui/ and main.ts own the document.',
        })),
      ],
    },
  },
);
