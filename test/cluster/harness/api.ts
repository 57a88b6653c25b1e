import { Agent, request } from "node:https";
import { parseAllDocuments } from "yaml";
import { until } from "./processes.ts";

/** An object of any kind, as the API server returns it. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind
  [field: string]: any;
}

class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Kind {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * A client of the API server for the test harness. It shares no code with the client in generator/, because the tests
 * test that client.
 */
export class Api {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #kinds: Map<string, readonly Kind[]> = new Map();

  constructor(server: string, token: string, ca: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, ca, maxSockets: 20 });
  }

  close(): void {
    this.#agent.destroy();
  }

  send(method: string, path: string, body?: unknown, type: string = "application/json"): Promise<ApiObject> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const content = text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) };
    const headers = { authorization: `Bearer ${this.#token}`, accept: "application/json", ...content };
    return new Promise((resolve, reject) => {
      const call = request(this.#server + path, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject); // the API server was stopped before the response was complete
        response.on("end", () => {
          const answer = parse(Buffer.concat(chunks).toString());
          const status = response.statusCode ?? 0;
          if (status < 300) resolve(answer as ApiObject);
          else reject(new ApiError(status, `${method} ${path}: ${status} ${String(answer["message"])}`));
        });
      });
      call.on("error", reject);
      call.setTimeout(30_000, () => call.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
      call.end(text);
    });
  }

  /** Returns an object or a list; null if the object or its kind does not exist. */
  async get(path: string): Promise<ApiObject | null> {
    return this.send("GET", path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    });
  }

  async list(path: string): Promise<ApiObject[]> {
    return ((await this.get(path))?.["items"] ?? []) as ApiObject[];
  }

  /**
   * Returns the path of an object. Waits up to 10 s until the server serves the kind of the object, because the CRD of
   * this kind may be new.
   */
  async pathOf({ apiVersion, kind, metadata }: Pick<ApiObject, "apiVersion" | "kind" | "metadata">): Promise<string> {
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = await until(
      `the kind ${kind} of ${apiVersion}`,
      async () => {
        if (!this.#kinds.has(base)) this.#kinds.set(base, ((await this.get(base))?.["resources"] ?? []) as Kind[]);
        const known = this.#kinds.get(base)?.find((each) => each.kind === kind && !each.name.includes("/"));
        if (known === undefined) this.#kinds.delete(base);
        return known;
      },
      10,
    );
    const namespace = found.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    return `${base}${namespace}/${found.name}/${metadata.name}`;
  }

  /**
   * Clears this client's cache of the kinds that the API server serves. Call this method after a test has deleted CRDs.
   */
  forgetKinds(): void {
    this.#kinds.clear();
  }

  /** Applies an object server-side. Unknown fields are errors. */
  async apply(object: ApiObject, manager: string = "harness"): Promise<ApiObject> {
    const path = `${await this.pathOf(object)}?fieldManager=${manager}&force=true&fieldValidation=Strict`;
    return this.send("PATCH", path, object, "application/apply-patch+yaml");
  }

  /** Runs a server-side apply as a dry run: returns the resulting object, and stores nothing. */
  async dryRun(object: ApiObject, manager: string = "harness"): Promise<ApiObject> {
    const path = `${await this.pathOf(object)}?fieldManager=${manager}&force=true&fieldValidation=Strict&dryRun=All`;
    return this.send("PATCH", path, object, "application/apply-patch+yaml");
  }

  async applyAll(yaml: string, manager?: string): Promise<void> {
    for (const document of parseAllDocuments(yaml)) {
      const object = document.toJS() as ApiObject | null;
      if (object !== null) await this.apply(object, manager);
    }
  }

  async applyStatus(object: ApiObject, manager: string): Promise<void> {
    await this.send(
      "PATCH",
      `${await this.pathOf(object)}/status?fieldManager=${manager}&force=true`,
      object,
      "application/apply-patch+yaml",
    );
  }

  async merge(path: string, patch: object): Promise<ApiObject> {
    return this.send("PATCH", path, patch, "application/merge-patch+json");
  }

  /** Deletes an object, if it exists. */
  async delete(path: string): Promise<void> {
    await this.send("DELETE", path, { propagationPolicy: "Background" }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { message: text };
  }
}
