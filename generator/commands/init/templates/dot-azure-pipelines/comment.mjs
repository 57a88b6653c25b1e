// Posts a file as a comment on the pull request of this run. Later runs for the pull request update the comment.
// https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
import { readFileSync } from "node:fs";

const {
  SYSTEM_COLLECTIONURI: collection,
  SYSTEM_TEAMPROJECT: project,
  BUILD_REPOSITORY_ID: repository,
  SYSTEM_PULLREQUEST_PULLREQUESTID: pullRequest,
  SYSTEM_ACCESSTOKEN: token,
} = process.env;
const marker = "<!-- meshops diff -->";
const threads = `${collection}${encodeURIComponent(project)}/_apis/git/repositories/${repository}/pullRequests/${pullRequest}/threads`;

const content = `${marker}\n${readFileSync(process.argv[2], "utf8").slice(0, 140_000)}`;
const { value } = await call("GET", threads);
const ours = value.find(({ isDeleted, comments }) => !isDeleted && comments?.[0]?.content?.startsWith(marker));
if (ours) await call("PATCH", `${threads}/${ours.id}/comments/${ours.comments[0].id}`, { content });
// The thread is created with status closed, because an active thread can block the merge of the pull request.
else await call("POST", threads, { comments: [{ parentCommentId: 0, content, commentType: 1 }], status: "closed" });
console.log(ours ? "updated the comment" : "added a comment");

async function call(method, url, body) {
  const response = await fetch(`${url}?api-version=7.1`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  // If the token has no permissions, Azure returns a sign-in page with status 203.
  if (!response.ok || !response.headers.get("content-type")?.includes("json"))
    throw new Error(`${method} ${url}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  return response.json();
}
