using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>What routing refused, while it is routed once more as a request that would be served.</summary>
/// <param name="Refusal">The endpoint that routing made to answer 405, 406 or 415.</param>
/// <param name="Method">The request's own method.</param>
/// <param name="ContentType">The request's own media type.</param>
internal sealed record RefusedRequest(Endpoint Refusal, string Method, string? ContentType);
