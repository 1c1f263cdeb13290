/** Syntax tree → text, for people who want to know what each part of an expression came to. Macros are shown as written. */
import type { Constant, Expr, SourceInfo } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';

type Macros = SourceInfo['macroCalls'];

/** How tightly operators bind, from the loosest on. */
const LOOSEST = 0;
const BINARY: Readonly<Record<string, readonly [sign: string, binds: number]>> = {
  '_||_': ['||', 2],
  '_&&_': ['&&', 3],
  '_==_': ['==', 4],
  '_!=_': ['!=', 4],
  '_<_': ['<', 4],
  '_<=_': ['<=', 4],
  '_>_': ['>', 4],
  '_>=_': ['>=', 4],
  '@in': ['in', 4],
  '_+_': ['+', 5],
  '_-_': ['-', 5],
  '_*_': ['*', 6],
  '_/_': ['/', 6],
  '_%_': ['%', 6],
};
const UNARY: Readonly<Record<string, string>> = { '!_': '!', '-_': '-' };
const TIGHT = 7;

export function expressionText(expr: Expr | undefined, macros: Macros): string {
  return show(expr, macros, LOOSEST);
}

function show(expr: Expr | undefined, macros: Macros, around: number): string {
  if (expr === undefined) return '';
  const macro = macros[String(expr.id)];
  if (macro !== undefined) return show(macro, macros, around);
  const { exprKind } = expr;
  const list = (items: readonly Expr[]): string => items.map((item) => show(item, macros, LOOSEST)).join(', ');
  switch (exprKind.case) {
    case 'constExpr':
      return literal(exprKind.value);
    case 'identExpr':
      return exprKind.value.name;
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      const text = `${show(operand, macros, TIGHT)}.${field}`;
      return testOnly ? `has(${text})` : text;
    }
    case 'listExpr':
      return `[${list(exprKind.value.elements)}]`;
    case 'structExpr': {
      const entries = exprKind.value.entries.map(({ keyKind, value }) => {
        const key = keyKind.case === 'mapKey' ? show(keyKind.value, macros, LOOSEST) : String(keyKind.value);
        return `${key}: ${show(value, macros, LOOSEST)}`;
      });
      return `{${entries.join(', ')}}`;
    }
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value;
      if (target !== undefined) return `${show(target, macros, TIGHT)}.${name}(${list(args)})`;
      return operator(name, args, macros, around) ?? `${name}(${list(args)})`;
    }
    default:
      return '…';
  }
}

function operator(name: string, args: readonly Expr[], macros: Macros, around: number): string | null {
  const [a, b, c] = args;
  if (name === '_[_]') return `${show(a, macros, TIGHT)}[${show(b, macros, LOOSEST)}]`;
  if (name === '_?_:_') {
    const text = `${show(a, macros, 2)} ? ${show(b, macros, 2)} : ${show(c, macros, 1)}`;
    return around > 1 ? `(${text})` : text;
  }
  const sign = UNARY[name];
  if (sign !== undefined) return `${sign}${show(a, macros, TIGHT)}`;
  const binary = BINARY[name];
  if (binary === undefined) return null;
  const [word, binds] = binary;
  const text = `${show(a, macros, binds)} ${word} ${show(b, macros, binds + 1)}`;
  return binds < around ? `(${text})` : text;
}

function literal({ constantKind }: Constant): string {
  switch (constantKind.case) {
    case 'stringValue':
      return quoted(constantKind.value);
    case 'bytesValue':
      return `b${quoted(new TextDecoder().decode(constantKind.value))}`;
    case 'doubleValue': {
      const text = String(constantKind.value);
      return /^-?\d+$/.test(text) ? `${text}.0` : text;
    }
    case 'uint64Value':
      return `${constantKind.value}u`;
    case 'int64Value':
    case 'boolValue':
      return String(constantKind.value);
    default:
      return 'null';
  }
}

function quoted(value: string): string {
  const inside = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inside}'`;
}
