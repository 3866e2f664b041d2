/** The page's document: finding and making elements. Text is only ever set as text, so that nothing that was received is read as markup. */

type Child = Node | string | undefined;

/** The element of that ID in `page.html`, of the kind that is expected there. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`the page has no such element: ${id}`);
  return found;
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | undefined>>,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(attribute, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that does something; `focusKey` finds it again after its card was drawn anew. */
export function button(label: string, focusKey: string, action: () => void, kind?: 'quiet' | 'danger'): HTMLButtonElement {
  const made = element('button', { type: 'button', class: kind, 'data-focus': focusKey }, label);
  made.addEventListener('click', action);
  return made;
}

/** A link to somewhere else. Anything but a web address becomes plain text. */
export function link(label: string, address: string, focusKey: string, kind?: 'button'): HTMLElement {
  const safe = URL.canParse(address) && ['https:', 'http:'].includes(new URL(address).protocol);
  if (!safe) return element('span', {}, label);
  return element('a', { href: address, target: '_blank', rel: 'noopener noreferrer', class: kind, 'data-focus': focusKey }, label);
}

/** Name and value pairs; those without a value are left out. */
export function facts(pairs: Readonly<Record<string, string | undefined>>): HTMLElement {
  const rows = Object.entries(pairs).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [element('dt', {}, name), element('dd', {}, value)],
  );
  return element('dl', {}, ...rows);
}

/** Replaces a list's cards and leaves the focus where it was, if what had it is still there. */
export function redraw(list: HTMLElement, cards: readonly HTMLElement[]): void {
  const active = document.activeElement;
  const had = active instanceof HTMLElement && active !== list && list.contains(active) ? active : undefined;
  const key = had?.dataset['focus'];
  list.replaceChildren(...cards);
  if (!had) return;
  const again = [...list.querySelectorAll<HTMLElement>('[data-focus]')].find((one) => one.dataset['focus'] === key);
  // What was focused is gone: its section's heading is the nearest place that makes sense.
  (again ?? list.closest('section')?.querySelector<HTMLElement>('h2'))?.focus();
}

/** Says what is wrong with a field, for eyes and for screen readers; an empty text takes it back. */
export function mark(field: HTMLElement, errorId: string, message: string): void {
  byId(errorId, HTMLElement).textContent = message;
  if (message === '') field.removeAttribute('aria-invalid');
  else field.setAttribute('aria-invalid', 'true');
}
