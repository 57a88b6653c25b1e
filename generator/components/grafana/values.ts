import { linkerdDashboards } from "../../catalog/addons.ts";
import { registryIn } from "../../catalog/image.ts";
import { injectKey, policyGroup } from "../../catalog/well-known.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import type { ModelContext } from "../component.ts";
import { mirrorField, pullSecretsOf } from "../mirror.ts";
import { type OwnedValue, owned } from "../owned.ts";
import { revisionAnnotation } from "../pod-template.ts";
import { mergeValues } from "../values.ts";

/**
 * Values of the grafana chart that Linkerd documents (linkerd2, grafana/values.yaml and authzpolicy-grafana.yaml). Do
 * not enable `serve_from_sub_path`. Before viz forwards a request to Grafana, viz removes /grafana from the path. With
 * `serve_from_sub_path`, Grafana would therefore redirect every request.
 */
export function grafanaValues(context: ModelContext): JsonMap {
  const { clusterDomain } = context.environment.spec.linkerd;
  const pullSecrets = pullSecretsOf(context.environment);
  return mergeValues(
    injection(context),
    {
      // Users do not log in, and Grafana has no admin account. With an admin account, every render of the chart would
      // generate a new password, and the pod would restart.
      env: { GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true" },
      "grafana.ini": {
        server: { root_url: "%(protocol)s://%(domain)s:/grafana/" },
        auth: { disable_login_form: true },
        "auth.anonymous": { enabled: true, org_role: "Editor" },
        "auth.basic": { enabled: false },
        analytics: { check_for_updates: false },
        panels: { disable_sanitize_html: true },
        log: { mode: "console" },
        "log.console": { format: "text", level: "info" },
      },
      datasources: {
        "datasources.yaml": {
          apiVersion: 1,
          datasources: [
            {
              name: "prometheus",
              type: "prometheus",
              access: "proxy",
              orgId: 1,
              url: `http://prometheus.linkerd-viz.svc.${clusterDomain}:9090`,
              isDefault: true,
              jsonData: { timeInterval: "5s" },
              editable: true,
            },
          ],
        },
      },
      dashboardProviders: {
        "dashboardproviders.yaml": {
          apiVersion: 1,
          providers: [
            {
              name: "default",
              orgId: 1,
              folder: "",
              type: "file",
              disableDeletion: false,
              editable: true,
              options: { path: "/var/lib/grafana/dashboards/default" },
            },
          ],
        },
      },
      dashboards: { default: dashboards() },
      extraObjects: [prometheusAccess],
    },
    images(context),
    pullSecrets === undefined ? {} : { image: { pullSecrets: [...pullSecrets] } },
  );
}

/**
 * Returns the chart values that overrides must not replace: the values for injection and for mirrored images. Grafana
 * must have a proxy, because the policy for viz's Prometheus requires Grafana's identity.
 */
export function ownedGrafanaValues(context: ModelContext): OwnedValue[] {
  return [...owned(injection(context), "linkerd.viz.grafana"), ...owned(images(context), mirrorField(context.environment))];
}

function injection({ identity }: ModelContext): JsonMap {
  return { podAnnotations: { [injectKey]: "enabled", ...revisionAnnotation(identity.revision()) } };
}

function images({ mirror }: ModelContext): JsonMap {
  if (mirror === null) return {};
  const registry = registryIn(mirror, "docker.io");
  return { image: { registry }, downloadDashboardsImage: { registry } };
}

function dashboards(): JsonMap {
  return Object.fromEntries(
    Object.entries(linkerdDashboards).map(([name, { gnetId, revision }]) => [
      name,
      { gnetId, revision, datasource: "prometheus" },
    ]),
  );
}

/**
 * AuthorizationPolicy that allows Grafana to query viz's Prometheus. The policy in the viz chart allows only
 * metrics-api.
 */
const prometheusAccess: JsonMap = {
  apiVersion: "policy.linkerd.io/v1alpha1",
  kind: "AuthorizationPolicy",
  metadata: { name: "grafana", namespace: "linkerd-viz" },
  spec: {
    targetRef: { group: policyGroup, kind: "Server", name: "prometheus-admin" },
    requiredAuthenticationRefs: [{ kind: "ServiceAccount", name: "grafana", namespace: "grafana" }],
  },
};
