import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';

export interface PackageEntry {
  path: string;
  text?: string;
  /** In place of text. */
  bytes?: Buffer;
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice';
  linkpath?: string;
}

/** A `.tgz` of exactly these entries, hostile ones too. */
export function packageOf(entries: readonly PackageEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, text = '', bytes, type = 'File', linkpath }) => {
    const content = bytes ?? Buffer.from(text);
    const header = new Header({
      path,
      size: content.length,
      type,
      mode: 0o644,
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    return [block, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A chart that yields one ConfigMap. */
export function chartPackage(name: string, version: string, more: readonly PackageEntry[] = []): Buffer {
  return packageOf([
    { path: `${name}/Chart.yaml`, text: `apiVersion: v2\nname: ${name}\nversion: ${version}\n` },
    { path: `${name}/values.yaml`, text: 'colour: red\n' },
    {
      path: `${name}/templates/map.yaml`,
      text: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {colour: "{{ .Values.colour }}"}\n`,
    },
    ...more,
  ]);
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
