import { randomBytes } from "node:crypto";

/**
 * Users of the API server, who authenticate with tokens. The default RBAC rules of Kubernetes grant the permissions of
 * users such as `system:kube-scheduler`. Members of `system:masters` have all permissions.
 */
const users = {
  admin: { name: "admin", groups: "system:masters" },
  kwok: { name: "kwok", groups: "system:masters" },
  kubelet: { name: "system:node:node-1", groups: "system:nodes" },
  "kube-proxy": { name: "system:kube-proxy", groups: "" },
  "kube-router": { name: "kube-router", groups: "system:masters" },
  "kube-controller-manager": { name: "system:kube-controller-manager", groups: "" },
  "kube-scheduler": { name: "system:kube-scheduler", groups: "" },
  "kustomize-controller": {
    name: "system:serviceaccount:flux-system:kustomize-controller",
    groups: "system:serviceaccounts,system:serviceaccounts:flux-system",
  },
  /** A user who has only the permissions that a test grants. */
  restricted: { name: "restricted", groups: "" },
} as const;

export type User = keyof typeof users;

export const userNames: readonly User[] = Object.keys(users) as User[];

/** Returns a random token for each user. */
export function makeTokens(): Record<User, string> {
  const tokens = userNames.map((user) => [user, randomBytes(24).toString("hex")]);
  return Object.fromEntries(tokens) as Record<User, string>;
}

/** Returns the content of the file for the API server's flag --token-auth-file. */
export function tokenFile(tokens: Readonly<Record<User, string>>): string {
  return userNames.map((user, index) => `${tokens[user]},${users[user].name},${index},"${users[user].groups}"\n`).join("");
}

/** Returns a kubeconfig with one context. */
export function kubeconfigOf(server: string, ca: string, token: string, context: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [{ name: context, cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: context, context: { cluster: context, user: "user" } }],
  };
}
