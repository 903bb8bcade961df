/** Which screen is shown, kept in the hash so that Back works from any static folder. Names of screens only: never a patient. */
export const screens = [
  'patients',
  'record',
  'forecast',
  'plan',
  'why',
  'trust',
  'report',
  'settings',
  'import',
  'audit',
  'prove',
] as const;
export type Screen = (typeof screens)[number];

function current(): Screen {
  const name = location.hash.replace(/^#\/?/, '');
  return screens.find((screen) => screen === name) ?? 'patients';
}

class Route {
  screen = $state<Screen>(current());

  constructor() {
    addEventListener('hashchange', () => (this.screen = current()));
  }

  go(screen: Screen): void {
    location.hash = `#/${screen}`;
  }
}

export const route = new Route();
