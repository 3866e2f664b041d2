import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';

/** The page as it was built. */
export interface PageText {
  /** With an empty `<style></style>` where the style belongs. */
  readonly html: string;
  readonly style: string;
  readonly script: string;
}

export interface PageAnswers {
  readonly page: APIGatewayProxyResult;
  readonly script: APIGatewayProxyResult;
  /** For an address that ends in a slash, below which the page's relative paths would lead astray. */
  readonly elsewhere: APIGatewayProxyResult;
}

const headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * The page's answers, the same for everybody: it holds nothing of anybody until its script has asked for it.
 *
 * The policy names every source there is: the one script of the same origin, the one style by its hash, requests to the same origin. Forms go nowhere by themselves, so
 * that a key stays in its field when the script fails. Sources: Content Security Policy Level 3; Trusted Types.
 */
export function pageAnswers({ html, style, script }: PageText): PageAnswers {
  const page = html.replace('<style></style>', () => `<style>${style}</style>`);
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return {
    page: {
      statusCode: 200,
      headers: {
        ...headers,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy,
        'x-frame-options': 'DENY',
        'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      },
      body: page,
    },
    script: { statusCode: 200, headers: { ...headers, 'content-type': 'text/javascript; charset=utf-8' }, body: script },
    elsewhere: { statusCode: 308, headers: { ...headers, location: '../byoc' }, body: '' },
  };
}
