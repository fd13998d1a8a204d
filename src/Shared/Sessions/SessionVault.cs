using System.Text;
using System.Text.Json;
using Bff.Audit;
using Bff.Configuration;
using Bff.Sessions.Stores;
using Bff.State;

namespace Bff.Sessions;

/// <summary>A session that was found, or what is known of one that was not.</summary>
internal readonly record struct SessionLookup(BrowserSession? Session, bool IsOver);

/// <summary>Keeps sessions sealed in the store, which tells every instance when one ends.</summary>
internal sealed class SessionVault(
    ISessionStore store,
    IKeyRing keys,
    SessionSite site,
    IServiceProvider services,
    Reloadable<SessionSettings> settings,
    TimeProvider time
)
{
    private const string Purpose = "sessions";
    private static readonly TimeSpan LongestUnnoted = TimeSpan.FromMinutes(1);

    public async Task Add(string key, SessionRecord record) =>
        await store.Add(
            key,
            new StoredSession(await Seal(key, record), time.GetUtcNow(), record.EndsAt, 0),
            settings.Current.IdleTimeout,
            IndexesOf(record)
        );

    public async ValueTask<SessionLookup> Find(string key, bool slides, CancellationToken cancellation = default)
    {
        var idle = settings.Current.IdleTimeout;

        // Not written on each request: a session may be taken for idle by a sixtieth too early, never too late.
        var touchAfter = idle / 60 < LongestUnnoted ? idle / 60 : LongestUnnoted;
        var now = time.GetUtcNow();
        var found = await store.Find(key, now, idle, slides ? touchAfter : null);
        if (found.Session is not { } stored)
        {
            return new SessionLookup(null, found.IsOver);
        }

        var plain = await SealedBox.Open(keys, Purpose, stored.Box, Encoding.ASCII.GetBytes(key), cancellation);
        var record = plain is null ? null : JsonSerializer.Deserialize(plain, SessionRecordJson.Default.SessionRecord);
        if (record is null)
        {
            return new SessionLookup(null, true); // Its key is gone: it can never be read again.
        }

        if (slides && stored.LastSeen.ToUnixTimeMilliseconds() == now.ToUnixTimeMilliseconds())
        {
            await Index(key, record); // It was written just now, which is seldom.
        }

        return new SessionLookup(
            new BrowserSession(key, record, stored.Version, stored.LastSeen + idle) { LastSeen = stored.LastSeen },
            false
        );
    }

    public async Task<bool> Replace(BrowserSession session, SessionRecord record)
    {
        if (!await store.Replace(session.Key, await Seal(session.Key, record), record.EndsAt, session.Version))
        {
            return false;
        }

        await Index(session.Key, record); // It may end later than it would have.
        return true;
    }

    /// <summary>
    /// Ends a session on every instance; what the host made for it first, its open streams too. With an entry in the audit log when
    /// another request ends it.
    /// </summary>
    public async Task End(string key, SessionRecord? record, bool leaveMark, ChangedBy? by = null)
    {
        if (record is not null)
        {
            await EndWhatWasMadeFor(record);
        }

        await store.End(key, leaveMark, by is null || record is null ? null : [by.Entry("session.ended", record.Tenant, record.Id)]);
        if (record is not null)
        {
            foreach (var index in IndexesOf(record))
            {
                await store.Drop(index, key);
            }
        }
    }

    public Task EndWhatWasMadeFor(SessionRecord record) =>
        site.Ending?.Invoke(services, new EndingSession(record.Id, record.Tenant)) ?? Task.CompletedTask;

    /// <summary>The living sessions of a user, or of a session at the provider.</summary>
    public async Task<List<BrowserSession>> Members(string index)
    {
        var sessions = new List<BrowserSession>();
        foreach (var key in await store.Members(index))
        {
            if ((await Find(key, slides: false)).Session is { } session)
            {
                sessions.Add(session);
            }
        }

        return sessions;
    }

    /// <summary>Ends every session of an index, those included that are only just being added.</summary>
    public async Task EndAll(string index, Func<SessionRecord, bool> which, ChangedBy? by = null)
    {
        foreach (var key in await store.Members(index))
        {
            var session = (await Find(key, slides: false)).Session;
            if (session is null || which(session.Record))
            {
                await End(key, session?.Record, leaveMark: false, by);
                await store.Drop(index, key); // Last: what is still in the index is found by the next attempt.
            }
        }
    }

    /// <summary>By the user, by the user as the provider names it where that differs, and by the session at the provider.</summary>
    private static List<string> IndexesOf(SessionRecord record)
    {
        List<string> indexes = [SessionKey.UserIndex(record.Subject)];
        if (record.ProviderSubject is { } subject && subject != record.Subject)
        {
            indexes.Add(SessionKey.ProviderUserIndex(subject));
        }

        if (record.ProviderSession is { } sid)
        {
            indexes.Add(SessionKey.ProviderIndex(sid));
        }

        return indexes;
    }

    /// <summary>
    /// A session that is in none of its indexes is not found by a sign-out of all of the user's. They are elsewhere in Redis, which may
    /// have lost them.
    /// </summary>
    private async Task Index(string key, SessionRecord record)
    {
        try
        {
            await store.Index(key, record.EndsAt, IndexesOf(record));
        }
        catch (StoreException)
        {
            // Done again when it is next seen.
        }
    }

    private async ValueTask<byte[]> Seal(string key, SessionRecord record) =>
        SealedBox.Seal(
            await keys.Current(Purpose),
            JsonSerializer.SerializeToUtf8Bytes(record, SessionRecordJson.Default.SessionRecord),
            Encoding.ASCII.GetBytes(key)
        );
}
