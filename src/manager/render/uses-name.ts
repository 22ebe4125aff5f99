import type { TemplateNode } from './check-template.js';

/**
 * Whether a template asks for this name of its context anywhere, such as `asleep`. Read from the syntax tree: a comment,
 * a text, or a field of a list's item that has the same name does not count. `@root.<name>` does.
 */
export function usesName(program: TemplateNode, name: string): boolean {
  return inProgram(program, name, 0);
}

/** `scopes`: how many of `each` and `with` stand around it, each of which has its own names. */
function inProgram(program: TemplateNode, name: string, scopes: number): boolean {
  return (program.body as TemplateNode[]).some((statement) => {
    if (inCall(statement, name, scopes)) return true;
    const entersScope = ['each', 'with'].includes(String((statement.path as TemplateNode | undefined)?.original));
    const { program: inner, inverse } = statement as { program?: TemplateNode | null; inverse?: TemplateNode | null };
    return (
      (inner != null && inProgram(inner, name, entersScope ? scopes + 1 : scopes)) ||
      // What stands for an empty list is outside of it.
      (inverse != null && inProgram(inverse, name, scopes))
    );
  });
}

function inCall(call: TemplateNode, name: string, scopes: number): boolean {
  const parts = [call.path, ...((call.params ?? []) as TemplateNode[])] as Array<TemplateNode | undefined>;
  return parts.some((part) => {
    if (part?.type === 'SubExpression') return inCall(part, name, scopes);
    return part?.type === 'PathExpression' && isNamed(part, name, scopes);
  });
}

function isNamed(path: TemplateNode, name: string, scopes: number): boolean {
  const [first, second] = path.parts as string[];
  if (path.data === true) return first === 'root' && second === name;
  return first === name && path.depth === scopes;
}
