// A client of the remote serial protocol, for tests: sends packets and whatever else a test makes up, and takes the answers.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const framed = (data: string): string => {
  const sum = [...data].reduce((all, char) => (all + char.charCodeAt(0)) & 0xff, 0);
  return `$${data}#${sum.toString(16).padStart(2, '0')}`;
};

export class Client {
  readonly #socket: Socket;
  /** What has come and was not asked for yet: a character for each byte. */
  #text = '';
  #acknowledges = true;
  #woken = () => {};
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#woken();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#woken();
    });
  }

  static async connect(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    const client = new Client(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Characters of 0 to 255, as they are. */
  raw(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** What `pattern` finds at the start of what comes; undefined where the other end closes first. */
  async take(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found !== null) {
        this.#text = this.#text.slice(found.index + found[0].length);
        return found;
      }
      if (this.closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
    }
  }

  /** The next packet's data. Throws where its checksum is wrong. */
  async packet(): Promise<string | undefined> {
    const data = (await this.take(/^\+*\$([^#]*)#(..)/s))?.slice(1);
    if (data === undefined) return undefined;
    if (framed(data[0]!) !== `$${data[0]}#${data[1]}`) throw new Error(`a wrong checksum: ${data}`);
    if (this.#acknowledges) this.raw('+');
    return data[0]!.replace(/}(.)/gs, (_, char: string) => String.fromCharCode(char.charCodeAt(0) ^ 0x20));
  }

  send(data: string): void {
    this.raw(framed(data));
  }
  async ask(data: string): Promise<string | undefined> {
    this.send(data);
    return this.packet();
  }
  /** What a monitor command prints. */
  async monitor(command: string): Promise<string> {
    let text = '';
    this.send(`qRcmd,${Buffer.from(command).toString('hex')}`);
    for (;;) {
      const answer = await this.packet();
      if (answer === 'OK' || answer === undefined) return text;
      text += Buffer.from(answer.slice(1), 'hex').toString();
    }
  }
  async withoutAcknowledgements(): Promise<void> {
    if ((await this.ask('QStartNoAckMode')) !== 'OK') throw new Error('no such mode');
    this.#acknowledges = false;
  }

  interrupt(): void {
    this.raw('\x03');
  }
  async close(): Promise<void> {
    if (this.closed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}
