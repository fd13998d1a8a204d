using System.Net;

namespace PartnerBff.Agents;

/// <summary>A request that this host makes to itself for the caller of another one.</summary>
/// <param name="Method">GET and so on.</param>
/// <param name="Target">Path and query, encoded as on the wire.</param>
internal sealed record InnerRequest(string Method, string Target)
{
    /// <summary>JSON; null: none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Its <c>Idempotency-Key</c>; null: none.</summary>
    public string? Key { get; init; }
}

/// <summary>What it was answered.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Headers">All of them.</param>
/// <param name="Body">At most <see cref="InnerResponse.MaxBytes"/>.</param>
/// <param name="IsCutOff">The body was longer, and is not whole.</param>
/// <param name="IsAborted">The host broke the answer off.</param>
internal sealed record InnerAnswer(int Status, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body, bool IsCutOff, bool IsAborted)
{
    public bool IsOk => Status < (int)HttpStatusCode.BadRequest;
}
