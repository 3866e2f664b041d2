/** Longest event that is looked at: usage stands in small ones, and what a stream holds back must not grow with its contents. */
const maxEventLength = 256 * 1024;

export interface SseData {
  push(chunk: Uint8Array): void;
  /** After the last chunk: an event that the stream broke off without its empty line is still looked at. */
  end(): void;
}

/** Splits a stream into the data of its events. Source: HTML Standard, "Server-sent events", parsing an event stream. */
export function createSseData(onData: (data: string) => void): SseData {
  const decoder = new TextDecoder('utf-8');
  let line = '';
  let tooLong = false;
  let data: string[] = [];
  let held = 0;
  let afterReturn = false;

  const endEvent = (): void => {
    if (data.length > 0) onData(data.length === 1 ? (data[0] ?? '') : data.join('\n'));
    data = [];
    held = 0;
  };
  const endLine = (): void => {
    if (tooLong) tooLong = false;
    else if (line === '') endEvent();
    else if (line.startsWith('data:')) {
      const value = line.slice(line.charAt(5) === ' ' ? 6 : 5);
      held += value.length;
      if (held <= maxEventLength) data.push(value);
      else data = [];
    }
    line = '';
  };
  const take = (text: string): void => {
    let from = 0;
    // Each kind of line end is searched for once: most streams use one of the two, and looking for the other again at each line would cost the square.
    let feed = text.indexOf('\n');
    let back = text.indexOf('\r');
    while (feed >= 0 || back >= 0) {
      const at = back < 0 || (feed >= 0 && feed < back) ? feed : back;
      const isFeed = at === feed;
      // The second half of a line end that was CR LF ends no line of its own.
      if (!(isFeed && afterReturn && at === from)) {
        append(text.slice(from, at));
        endLine();
      }
      from = at + 1;
      afterReturn = !isFeed;
      if (isFeed) feed = text.indexOf('\n', from);
      else back = text.indexOf('\r', from);
    }
    if (from < text.length) append(text.slice(from));
  };
  const append = (part: string): void => {
    afterReturn = false;
    if (tooLong) return;
    if (line.length + part.length > maxEventLength) {
      line = '';
      tooLong = true;
    } else line += part;
  };
  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(decoder.decode());
      if (line !== '') endLine();
      endEvent();
    },
  };
}
