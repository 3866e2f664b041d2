/**
 * Mapping expressions and the variables of gateway response templates: the few that are known here, everything else is refused when it is
 * written, not when it is used. Sources: API Gateway Developer Guide, "Parameter mapping source examples", "Variables for data
 * transformations", "Gateway responses".
 */
export type Expression =
  | { readonly from: 'static'; readonly value: string }
  /** A name below `context.`, e.g. `authorizer.tenantId`. */
  | { readonly from: 'context'; readonly name: string }
  | { readonly from: 'header' | 'querystring' | 'path'; readonly name: string };

/** What expressions are evaluated on. */
export interface ExpressionInput {
  /** By name below `context.`. */
  context(name: string): string | undefined;
  header(name: string): string | undefined;
  querystring(name: string): string | undefined;
  path(name: string): string | undefined;
}

const contextNames = new Set([
  'accountId',
  'apiId',
  'domainName',
  'error.message',
  'error.responseType',
  'extendedRequestId',
  'httpMethod',
  'identity.sourceIp',
  'identity.userAgent',
  'path',
  'protocol',
  'requestId',
  'requestTime',
  'requestTimeEpoch',
  'resourceId',
  'resourcePath',
  'stage',
  'status',
]);
const isContextName = (name: string): boolean => contextNames.has(name) || /^authorizer\.\w+$/.test(name);

/** Undefined when the text is no expression that is known here. */
export function parseExpression(text: string): Expression | undefined {
  const quoted = /^'([^']*)'$/.exec(text)?.[1];
  if (quoted !== undefined) return { from: 'static', value: quoted };
  const parameter = /^method\.request\.(header|querystring|path)\.([\w.$-]+)$/.exec(text);
  const from = parameter?.[1];
  const name = parameter?.[2];
  if (name !== undefined && (from === 'header' || from === 'querystring' || from === 'path')) return { from, name };
  const context = /^context\.(.+)$/.exec(text)?.[1];
  return context !== undefined && isContextName(context) ? { from: 'context', name: context } : undefined;
}

export function evaluateExpression(expression: Expression, input: ExpressionInput): string | undefined {
  switch (expression.from) {
    case 'static':
      return expression.value;
    case 'context':
      return input.context(expression.name);
    default:
      return input[expression.from](expression.name);
  }
}

/** `$context.a.b` or `${context.a.b}`; the message also as a quoted JSON string. A full stop that ends a sentence belongs to no name. */
const variable = /\$(?:context\.(\w+(?:\.\w+)*)|\{context\.(\w+(?:\.\w+)*)\})/g;
const quotedMessage = 'error.messageString';

/** The first variable in the template that is not known, or any other `$` expression; undefined when there is none. */
export function unknownVariable(template: string): string | undefined {
  for (const [text, plain, braced = ''] of template.matchAll(variable)) {
    const name = plain ?? braced;
    if (name !== quotedMessage && !isContextName(name)) return text;
  }
  return /\$[\w{!][\w.]*/.exec(template.replace(variable, ''))?.[0];
}

/** Fills a gateway response's template: each variable is replaced by its text, nothing is computed. An absent one becomes `-`. */
export function fillTemplate(template: string, context: (name: string) => string | undefined): string {
  return template.replace(variable, (_, plain: string | undefined, braced: string | undefined) => {
    const name = plain ?? braced ?? '';
    if (name === quotedMessage) return JSON.stringify(context('error.message') ?? null);
    return context(name) ?? '-';
  });
}
