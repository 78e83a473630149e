// Requests to the API.

const TIMEOUT_MS = 15_000;

/** The API answered with an error; `detail` is its explanation, perhaps empty. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(`error ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

/** Send a request to the API: POST if there is a body. Throws ApiError for an error answer. */
export async function callApi(path, { signal, body } = {}) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  // The path is relative, because the page may be served under any path.
  const response = await fetch(path, {
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    ...(body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(response.status, String(problem.detail ?? problem.message ?? ""));
}
