using Bff.Callers.Life;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Bearer;

/// <summary>
/// Verifies the token of a long response again, every ten seconds: the authority may have withdrawn the key that signed it, or may call an
/// opaque token inactive.
/// </summary>
internal sealed class TokenLife(BearerTokens tokens, TimeProvider time) : ICredentialLife
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    /// <inheritdoc />
    public CallerKind Kind => CallerKind.Token;

    /// <inheritdoc />
    public (string Name, CredentialState State) Of(HttpContext context, Caller caller) =>
        (context.Request.Headers.Authorization.ToString(), StateOf(caller));

    /// <inheritdoc />
    public void OnChanged(Action<string?> changed)
    {
        // Nobody announces a change: keys are read regularly, and opaque tokens are introspected again after a minute.
    }

    /// <inheritdoc />
    public async ValueTask<CredentialState> Look(Caller caller, string name, CancellationToken cancellation)
    {
        var result = await tokens.ResolveAgain(name, cancellation);
        return result.Refusal is null || result == Refusals.Unavailable ? StateOf(caller) : CredentialState.Over;
    }

    private CredentialState StateOf(Caller caller) => new(caller.ExpiresAt ?? DateTimeOffset.MaxValue, time.GetUtcNow() + LookEvery);
}
