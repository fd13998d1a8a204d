using System.Text;
using Bff.Requests;
using Bff.State;

namespace Bff.Paging;

/// <summary>
/// Makes the cursors that clients see out of the services' own: sealed (clients cannot read, change or make one) and bound to the route, the
/// filter and the caller they were issued for. Any instance opens them, also after restarts, for at least 60 days.
/// </summary>
/// <param name="keys">Where the keys live.</param>
/// <param name="purpose">Which keys: tokens of another purpose never open.</param>
public sealed class Cursors(IKeyRing keys, string purpose = "cursors")
{
    /// <summary>The cursors of one list of one caller. Make it before composing: sealing itself does not wait.</summary>
    /// <param name="route">Names the list, such as <c>web/orders</c>.</param>
    /// <param name="caller">Only the same one (tenant and subject; for API keys tenant and mode) opens them.</param>
    /// <param name="filter">Whatever else changes what the list holds, in a fixed order. Not the limit.</param>
    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async ValueTask<CursorScope> For(string route, Caller caller, params string?[] filter)
    {
        var current = await keys.Current(purpose);
        return new CursorScope(keys, purpose, current, Binding(purpose, route, caller, filter));
    }

    // Every piece with its length: no two lists of pieces look the same.
    private static byte[] Binding(string purpose, string route, Caller caller, string?[] filter)
    {
        var text = new StringBuilder();
        Add(purpose);
        Add(route);
        Add(caller.Tenant);
        Add(caller.Kind == CallerKind.ApiKey ? (caller.IsSandbox ? "key:test" : "key:live") : "sub:" + caller.Subject);
        foreach (var piece in filter)
        {
            Add(piece);
        }

        return Encoding.UTF8.GetBytes(text.ToString());

        void Add(string? piece) => text.Append(piece?.Length ?? -1).Append(':').Append(piece);
    }
}
