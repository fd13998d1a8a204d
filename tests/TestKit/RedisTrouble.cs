namespace Bff.TestKit;

/// <summary>Trouble of a Redis server while a store uses it.</summary>
public enum RedisTrouble
{
    /// <summary>The server keeps its connections and answers nothing.</summary>
    Frozen,

    /// <summary>The server is gone, and comes back later with its data.</summary>
    Killed,

    /// <summary>The server is gone and immediately back.</summary>
    Restarted,

    /// <summary>Every answer is delayed, but by less than <c>State:Timeout</c>.</summary>
    Slow,

    /// <summary>The server's replica takes over behind the same address.</summary>
    Moved,

    /// <summary>The server's memory is full: it refuses every write.</summary>
    Full,
}
