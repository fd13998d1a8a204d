using Bff.Paging;
using Bff.Requests;
using Bff.State;

namespace MobileBff.Features.Sync;

/// <summary>
/// What the app keeps between synchronisations: the service's own token, sealed and bound to the caller. Nothing is remembered here, so
/// that any instance answers any token, as often as a lost answer makes the app ask.
/// </summary>
internal sealed class SyncTokens(IKeyRing keys)
{
    private readonly Cursors _tokens = new(keys, "sync-tokens");

    public ValueTask<CursorScope> For(Caller caller) => _tokens.For("mobile/sync", caller);
}
