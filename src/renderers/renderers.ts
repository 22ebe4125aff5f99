import { findProgram, type ProgramPlaces } from './find-program.js';
import { type HelmTemplate, helmArguments, helmEnvironment } from './helm.js';
import { type KustomizeBuild, kustomizeArguments } from './kustomize.js';
import { type ProgramLimits, programLimits, runProgram } from './run-program.js';
import { createTurnstile } from './turnstile.js';
import { withWorkspace } from './workspace.js';

export interface RenderersOptions {
  programs: ProgramPlaces;
  /** Private folder for the files of the runs. */
  directory: string;
  limits?: ProgramLimits;
  /** Where `prlimit` may be; none: memory is watched. Default: where Debian has it. */
  prlimit?: readonly string[];
  /** Programs that run at once. Default 2. */
  concurrency?: number;
}

/** The external programs that make manifests. What they are handed was checked before. */
export interface Renderers {
  kustomize(input: KustomizeBuild): Promise<string>;
  helm(input: HelmTemplate): Promise<string>;
}

/** Nothing is looked for or made before the first call. */
export function createRenderers(options: RenderersOptions): Renderers {
  const { limits = programLimits, prlimit } = options;
  // Each may take its memory limit, and together with the agent they must fit into its container.
  const turnstile = createTurnstile(options.concurrency ?? 2);
  return {
    async kustomize({ files, directory, signal }) {
      const file = await findProgram('kustomize', options.programs);
      return turnstile(signal, () =>
        withWorkspace(options.directory, files, (workspace) =>
          runProgram({
            name: 'kustomize',
            file,
            args: kustomizeArguments(directory),
            workspace,
            limits,
            prlimit,
            signal,
          }),
        ),
      );
    },
    async helm(input) {
      const file = await findProgram('helm', options.programs);
      const { args, files } = helmArguments(input);
      return turnstile(input.signal, () =>
        withWorkspace(options.directory, files, (workspace) =>
          runProgram({
            name: 'helm',
            file,
            args,
            workspace,
            environment: helmEnvironment(workspace),
            limits,
            prlimit,
            signal: input.signal,
          }),
        ),
      );
    },
  };
}
