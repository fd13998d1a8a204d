using System.Net;

namespace PartnerBff.Agents;

/// <summary>A request that this host makes to itself on behalf of another request's caller.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Target">Path and query, encoded as on the wire.</param>
internal sealed record InnerRequest(string Method, string Target)
{
    /// <summary>The JSON body; null for none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>The <c>Idempotency-Key</c>; null for none.</summary>
    public string? Key { get; init; }
}

/// <summary>The answer to an inner request.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Headers">All headers.</param>
/// <param name="Body">The body, at most <see cref="InnerResponse.MaxBytes"/>.</param>
/// <param name="IsCutOff">Whether the body was longer and is incomplete.</param>
/// <param name="IsAborted">Whether the host aborted the answer.</param>
internal sealed record InnerAnswer(int Status, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body, bool IsCutOff, bool IsAborted)
{
    public bool IsOk => Status < (int)HttpStatusCode.BadRequest;
}
