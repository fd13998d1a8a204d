using Bff.Callers.Life;
using Bff.Requests;
using Bff.Sessions.Stores;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>
/// Watches the end of sessions. A session ends by sign-out, by idling, and with an access token that cannot be refreshed. A stream that it
/// keeps open does not prolong it.
/// </summary>
internal sealed class SessionLife(SessionVault vault, ISessionStore store) : ICredentialLife
{
    /// <inheritdoc />
    public CallerKind Kind => CallerKind.Session;

    /// <inheritdoc />
    public (string Name, CredentialState State) Of(HttpContext context, Caller caller) =>
        BrowserSession.Of(context) is { } session ? (session.Key, StateOf(session)) : ("", CredentialState.Over);

    /// <inheritdoc />
    public void OnChanged(Action<string?> changed) => store.OnEnded(changed);

    /// <inheritdoc />
    public async ValueTask<CredentialState> Look(Caller caller, string name, CancellationToken cancellation) =>
        (await vault.Find(name, slides: false, cancellation)).Session is { } session ? StateOf(session) : CredentialState.Over;

    private static CredentialState StateOf(BrowserSession session)
    {
        var record = session.Record;
        var end = record.RefreshToken is null && record.AccessTokenEndsAt < record.EndsAt ? record.AccessTokenEndsAt : record.EndsAt;
        return new(end, session.EndsAt);
    }
}
