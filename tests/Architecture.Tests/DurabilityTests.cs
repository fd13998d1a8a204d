using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>
/// With <c>State:Replicas</c> a write that is promised to a client waits for the replicas (<c>RedisScript.Durable</c>,
/// <c>RedisState.Write</c>).
/// What does not is listed here, with what makes it good after a failover that lost it.
/// </summary>
public sealed partial class DurabilityTests
{
    private static readonly Dictionary<string, string> MadeGood = new()
    {
        ["TokenBucketScript.Take"] = "a bucket has some tokens more",
        ["LeaseRotationScript.Join"] = "said again within a second",
        ["Announcements.AppendScript"] = "every instance reads all anew after it has connected again",
        ["RedisIdempotencyStore.RenewScript"] = "renewed again after a third of the lease",
        ["RedisIdempotencyStore.ReleaseScript"] = "the lock expires",
        ["RedisSessionStore.FindScript"] = "notes that the session was used, and so does the next request",
        ["RedisSessionStore.UnlockScript"] = "the lock expires",
        ["RedisSessionStore.ZREM"] = "the index is cleared of it when it is read again",
        ["RedisApiKeyStore.TouchListed"] = "noted with the next use",
        ["RedisApiKeyStore.HSETNX"] = "listed again with the next use",
        ["RedisApiKeyStore.HDEL"] = "a revoked key that was listed again; it opens nothing",
        ["RedisTenantStore.HDEL"] = "a tenant is told twice of its plan",
        ["RedisEventScripts.End"] = "the mark, which the next reader moves",
        ["RedisEventScripts.ReadAll"] = "the mark, which the next reader moves",
        ["RedisEventScripts.Take"] = "handed out again",
        ["RedisEventScripts.Done"] = "done again; deliveries have names of their own",
        ["RedisEventScripts.Return"] = "handed out again, later",
        ["RedisWebhookScripts.Claim"] = "claimed again",
        ["RedisWebhookScripts.Drop"] = "dropped again",
        ["RedisWebhookScripts.Note"] = "delivered again",
        ["IRequestLogStore.AddScript"] = "one of the latest requests is missing in the portal",
        ["AuditOutbox.ZREM"] = "moved to the log again, where an entry is once",
        ["AuditOutbox.DEL"] = "it expires",
        ["RedisFragments.SET"] = "asked of the service again",
        ["RedisFragments.DEL"] = "it expires",
    };

    [Fact]
    public void Every_write_is_durable_or_made_good()
    {
        var others = new List<string>();
        var durable = 0;
        foreach (var file in Source.Files("src"))
        {
            var (text, name) = (File.ReadAllText(file), Path.GetFileNameWithoutExtension(file));
            foreach (Match script in Script().Matches(text).Where(s => Writes().IsMatch(s.Groups["text"].Value)))
            {
                if (script.Groups["how"].Value == "RedisScript.Durable")
                {
                    durable++;
                }
                else
                {
                    others.Add($"{name}.{script.Groups["name"].Value}");
                }
            }

            durable += Written().Count(text);
            others.AddRange(
                Command().Matches(text).Select(c => c.Groups["command"].Value).Where(c => Writing().IsMatch(c)).Select(c => $"{name}.{c}")
            );
        }

        Assert.Equal(MadeGood.Keys.Order(StringComparer.Ordinal), others.Distinct().Order(StringComparer.Ordinal));
        Assert.True(durable > 20, $"{durable}");
    }

    [GeneratedRegex(
        @"RedisScript (?<name>\w+) = (?<how>new|RedisScript\.Durable)\((?:\s*\w+\s*\+)?\s*\$*""""""(?<text>.*?)""""""",
        RegexOptions.Singleline
    )]
    private static partial Regex Script();

    [GeneratedRegex(@"call\('(SET|HSET|HINCRBY|ZADD|ZREM\w*|XADD|XDEL|XACK|XTRIM|XCLAIM|XAUTOCLAIM|XREADGROUP|SADD|DEL|HDEL|LPUSH|LTRIM)'")]
    private static partial Regex Writes();

    [GeneratedRegex(@"redis\.Write\(")]
    private static partial Regex Written();

    [GeneratedRegex(@"redis\.Run\(\s*""(?:PIPELINE )?(?<command>\w+)""", RegexOptions.IgnoreCase)]
    private static partial Regex Command();

    [GeneratedRegex(@"^(SET|HSET|HSETNX|HDEL|ZADD|ZREM|SADD|DEL|EXPIRE|UNLINK)$")]
    private static partial Regex Writing();
}
