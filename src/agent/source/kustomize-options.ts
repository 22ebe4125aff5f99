import type { Kustomization, KustomizationImage } from './kustomization.js';
import { unusable } from './source-error.js';
import type { KustomizeOptions } from './source-options.js';

/**
 * The kustomization with what `spec.source.kustomize` adds, as `kustomize edit` would write it: a prefix, a suffix, a
 * namespace and an image of the same name are replaced, patches and components come last. A label or an annotation that
 * is there already is refused unless it is forced.
 */
export function withOptions(kustomization: Kustomization, options: KustomizeOptions): Kustomization {
  const { commonLabels = {}, commonAnnotations = {} } = options;
  const alone = options.labelWithoutSelector === true || options.labelIncludeTemplates === true;
  const labels = alone && Object.keys(commonLabels).length > 0 ? [labelEntry(options)] : [];
  return {
    ...kustomization,
    ...(options.namePrefix === undefined ? {} : { namePrefix: options.namePrefix }),
    ...(options.nameSuffix === undefined ? {} : { nameSuffix: options.nameSuffix }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    commonLabels: added(
      'commonLabels',
      kustomization.commonLabels,
      alone ? {} : commonLabels,
      options.forceCommonLabels === true,
    ),
    commonAnnotations: added(
      'commonAnnotations',
      kustomization.commonAnnotations,
      commonAnnotations,
      options.forceCommonAnnotations === true,
    ),
    labels: [...(kustomization.labels ?? []), ...labels],
    images: merged(kustomization.images ?? [], (options.images ?? []).map(parseImage)),
    replicas: merged(kustomization.replicas ?? [], options.replicas ?? []),
    components: [...(kustomization.components ?? []), ...(options.components ?? [])],
    patches: [...(kustomization.patches ?? []), ...(options.patches ?? [])],
  };
}

function labelEntry(options: KustomizeOptions) {
  return {
    pairs: options.commonLabels ?? {},
    includeSelectors: false,
    includeTemplates: options.labelIncludeTemplates === true,
  };
}

function added(
  field: string,
  present: Kustomization['commonLabels'],
  more: Record<string, string>,
  force: boolean,
): NonNullable<Kustomization['commonLabels']> {
  const twice = Object.keys(more).find((key) => present !== null && present !== undefined && key in present);
  if (twice !== undefined && !force) {
    const key = `force${field.charAt(0).toUpperCase()}${field.slice(1)}`;
    throw unusable(
      'source-invalid',
      `${twice} of spec.source.kustomize.${field} is in the kustomization already; ${key} overrides it`,
      '',
    );
  }
  return { ...present, ...more };
}

function merged<Entry extends { name: string }>(present: readonly Entry[], more: readonly Entry[]): Entry[] {
  const replaced = new Set(more.map(({ name }) => name));
  return [...present.filter(({ name }) => !replaced.has(name)), ...more];
}

/** `name=new:tag`, `name=new@digest`, `name:tag`, `name@digest`; a tag follows the last slash. */
export function parseImage(text: string): KustomizationImage {
  const equals = text.indexOf('=');
  const target = text.slice(equals + 1);
  const at = target.indexOf('@');
  const untagged = at < 0 ? target : target.slice(0, at);
  const colon = untagged.indexOf(':', untagged.lastIndexOf('/') + 1);
  const repository = colon < 0 ? untagged : untagged.slice(0, colon);
  const name = equals < 0 ? repository : text.slice(0, equals);
  const tag = colon < 0 ? '' : untagged.slice(colon + 1);
  const digest = at < 0 ? '' : target.slice(at + 1);
  if (name === '' || repository === '' || (tag === '' && digest === '' && equals < 0)) {
    throw unusable(
      'source-invalid',
      `${text.slice(0, 200)} of spec.source.kustomize.images is no image; write name=new:tag, name:tag or name@digest`,
      '',
    );
  }
  return {
    name,
    ...(equals < 0 ? {} : { newName: repository }),
    ...(tag === '' ? {} : { newTag: tag }),
    ...(digest === '' ? {} : { digest }),
  };
}
