// The arrows of docs/designs/0001-two-houses.md. A rule here is a sentence there.
const pure = '^src/(preview|application|protocol|error)/';
const adapters = '^src/(gitlab|git|kube|store|registry|notify|charts|renderers)/';
const wiring = '^src/(cli\\.ts|sandbox/|manager/serve[a-z-]*\\.ts$|agent/run\\.ts$)';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'preview-imports-nothing',
      comment: 'The pure heart may use only itself: no adapter, no library, no Node module.',
      severity: 'error',
      from: { path: '^src/preview/' },
      to: { pathNot: '^src/preview/' },
    },
    {
      name: 'pure-ground',
      comment: 'application, protocol and error know nothing of either house or of an adapter.',
      severity: 'error',
      from: { path: '^src/(application|protocol|error)/' },
      to: { path: '^src/', pathNot: pure },
    },
    {
      name: 'manager-has-no-cluster',
      severity: 'error',
      from: { path: '^src/manager/' },
      to: { path: '^src/(kube|agent)/' },
    },
    {
      name: 'agent-has-no-database',
      severity: 'error',
      from: { path: '^src/agent/' },
      to: { path: '^src/(store|gitlab|manager)/' },
    },
    {
      name: 'rooms-do-not-import-each-other',
      comment: 'A room declares what it needs; serve.ts and run.ts hand it over.',
      severity: 'error',
      from: { path: '^src/(manager|agent)/([^/]+)/' },
      to: { path: '^src/$1/[^/]+/', pathNot: '^src/$1/$2/' },
    },
    {
      name: 'rooms-do-not-import-adapters',
      severity: 'error',
      from: { path: '^src/(manager|agent)/[^/]+/' },
      to: { path: adapters },
    },
    {
      name: 'adapters-do-not-import-houses',
      severity: 'error',
      from: { path: adapters },
      to: { path: '^src/(manager|agent|sandbox|config)/|^src/cli' },
    },
    {
      name: 'adapters-stand-alone',
      severity: 'error',
      from: { path: '^src/(gitlab|git|kube|store|registry|notify|charts|renderers)/' },
      to: { path: adapters, pathNot: '^src/$1/' },
    },
    {
      name: 'rooms-do-not-read-configuration',
      comment: 'Rooms get plain values; only wiring knows the shape of a configuration file.',
      severity: 'error',
      from: { path: '^src/(manager|agent)/[^/]+/', pathNot: '^src/manager/operate/' },
      to: { path: '^src/config/' },
    },
    {
      name: 'sandbox-only-from-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sandbox/|cli)' },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'only-wiring-wires',
      comment: 'serve.ts and run.ts are reached from the command line and the sandbox alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: `${wiring}|^src/cli/` },
      to: { path: '^src/(manager/serve[a-z-]*|agent/run)\\.ts$' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
