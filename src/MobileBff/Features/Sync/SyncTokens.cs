using Bff.Paging;
using Bff.Requests;
using Bff.State;

namespace MobileBff.Features.Sync;

/// <summary>
/// Seals the service's synchronization token for the app and binds it to the caller. The gateway stores nothing, so any instance can answer
/// any token, however often the app repeats a request after a lost answer.
/// </summary>
internal sealed class SyncTokens(IKeyRing keys)
{
    private readonly Cursors _tokens = new(keys, "sync-tokens");

    public ValueTask<CursorScope> For(Caller caller) => _tokens.For("mobile/sync", caller);
}
