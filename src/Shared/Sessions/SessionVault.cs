using System.Text;
using System.Text.Json;
using Bff.Audit;
using Bff.Configuration;
using Bff.Sessions.Stores;
using Bff.State;

namespace Bff.Sessions;

/// <summary>The result of a session look-up: the session, or whether it has ended.</summary>
internal readonly record struct SessionLookup(BrowserSession? Session, bool IsOver);

/// <summary>Keeps sessions sealed in the store. The store tells every instance when one ends.</summary>
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

        // Not every request is written to the store, so a session may end as idle up to a sixtieth too early, but never too late.
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
            return new SessionLookup(null, true); // The sealing key is gone, so the record can never be read again.
        }

        if (slides && stored.LastSeen.ToUnixTimeMilliseconds() == now.ToUnixTimeMilliseconds())
        {
            await Index(key, record); // The record was written just now, which is rare.
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

        await Index(session.Key, record); // The session may now end later than before.
        return true;
    }

    /// <summary>
    /// Ends a session on every instance. First ends what the host has made for it, including its open streams. Writes an entry to the audit
    /// log if another request ends the session.
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

    /// <summary>Returns the live sessions of a user, or of a session at the provider.</summary>
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

    /// <summary>Ends every session of an index, including those that are just being added.</summary>
    public async Task EndAll(string index, Func<SessionRecord, bool> which, ChangedBy? by = null)
    {
        foreach (var key in await store.Members(index))
        {
            var session = (await Find(key, slides: false)).Session;
            if (session is null || which(session.Record))
            {
                await End(key, session?.Record, leaveMark: false, by);
                await store.Drop(index, key); // Last, because the next attempt finds what is still in the index.
            }
        }
    }

    /// <summary>
    /// Returns the indexes of a session: by the user, by the user's name at the provider if it differs, and by the session at the provider.
    /// </summary>
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
    /// Adds a session to its indexes again. They are stored elsewhere in Redis and may have been lost, and a session missing from its
    /// indexes would not be found when all of the user's sessions are signed out.
    /// </summary>
    private async Task Index(string key, SessionRecord record)
    {
        try
        {
            await store.Index(key, record.EndsAt, IndexesOf(record));
        }
        catch (StoreException)
        {
            // Repeated when the session is next written.
        }
    }

    private async ValueTask<byte[]> Seal(string key, SessionRecord record) =>
        SealedBox.Seal(
            await keys.Current(Purpose),
            JsonSerializer.SerializeToUtf8Bytes(record, SessionRecordJson.Default.SessionRecord),
            Encoding.ASCII.GetBytes(key)
        );
}
